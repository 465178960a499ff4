// SPDX-License-Identifier: Apache-2.0
// The sites of a configuration, one chosen for each request by its Host.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/task.h>
#include <pronghorn/config/config.h>

#include "server/compression.h"
#include "server/hosts.h"
#include "server/site.h"

#include <memory>
#include <optional>
#include <vector>

namespace pronghorn::server {

class Sites {
 public:
  /// `options` are what the files of all sites have in common: not the root, not the index.
  /// @errors a root that cannot be opened
  static Result<Sites> open(const config::Config& config, const Files::Options& options);

  /// Whether there is anything for each of the following to do.
  bool has_files() const noexcept { return has_files_; }
  bool has_listings() const noexcept { return has_listings_; }
  bool has_before() const noexcept { return has_before_; }
  bool has_after() const noexcept { return has_after_; }

  /// What is answered whatever the method and whoever answers the path: 421 for a host that is
  /// unknown, where that is so configured; a redirect.
  std::optional<Response> before(const Request& request);
  /// The files of the request's site.
  Response answer(const Request& request);
  /// What answer() gave kAnsweredLater for.
  Task<Response> answer_later(Loop& loop, const Request& request);
  bool has_limits() const noexcept { return has_limits_; }
  /// How often a client may ask its site for the files at that path; null: as often as it likes.
  const RouteLimit* limit(std::string_view host, std::string_view path);
  /// The rules of the request's site for the answer, whoever gave it.
  void after(const Request& request, Response& response);

 private:
  Sites() = default;
  /// `name` is the same in every process, and no other site's.
  Result<void> add(const config::Site& rules, const Files::Options& options, std::string_view name);
  Site* find(std::string_view host) noexcept;

  std::unique_ptr<Compression> compression_;
  std::vector<Site> sites_;  // the default one first
  HostTable hosts_;
  bool refuse_unknown_ = false;
  bool has_files_ = false;
  bool has_listings_ = false;
  bool has_before_ = false;
  bool has_after_ = false;
  bool has_limits_ = false;
};

}  // namespace pronghorn::server

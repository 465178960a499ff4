// SPDX-License-Identifier: Apache-2.0
// A site of the configuration: the files of a directory, and the rules for answers. Sites chooses
// among them by Host; app/routes.cpp puts them into a router.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/task.h>
#include <pronghorn/config/site.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include "server/files.h"
#include "server/router_impl.h"

#include <memory>
#include <optional>
#include <string_view>

namespace pronghorn::server {

class Compression;

class Site {
 public:
  /// `options` are what the files of all sites have in common: not the root, not the index.
  /// `shared` may be null (nothing is compressed), and outlives the site. `name` is the same in
  /// every process, and no other site's.
  /// @errors the root cannot be opened
  static Result<Site> open(const config::Site& site, Files::Options options, Compression* shared,
                           std::string_view name = {});
  ~Site();
  Site(Site&&) noexcept;
  Site& operator=(Site&&) noexcept;

  /// The first redirect that the path fits. Any method.
  std::optional<Response> redirect(const Request& request);
  /// The files: what Files answers, a listing, or the fallback, with Cache-Control by rule.
  /// Status kAnsweredLater: it is a listing, which would hold the loop up, and answer_later() has
  /// it.
  Response answer(const Request& request);
  Task<Response> answer_later(Loop& loop, const Request& request);
  /// The first limit that the path fits; null: none. The path as it came, not yet looked at.
  const RouteLimit* limit(std::string_view path);
  /// Puts the site's own page in place of the built-in one.
  void show_own_page(const Request& request, Response& response);
  /// To be called with every answer to this site's requests: puts the site's own page in place of
  /// the built-in one, changes fields by rule, and compresses.
  void finish(const Request& request, Response& response);

 private:
  struct Impl;
  explicit Site(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// Listings made off the loop, which a directory of thousands of names would hold up: read, sorted
// and written on a thread of the pool, once for all who ask for the same meanwhile. Used by Site.
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/base/uv/task.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include "server/file_entry.h"
#include "server/listing.h"
#include "server/open_beneath.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::server {

/// The listings of one root.
class Listings {
 public:
  struct Options {
    std::vector<std::string> hidden{};  ///< files that are not shown
    /// How long a page is given out again: the sizes and times of files that it shows change
    /// without a trace on their directory. When that itself has changed it is read anew.
    std::chrono::milliseconds valid{1000};
    /// Of a directory that changed less long ago no page is kept: its times move with the kernel's
    /// tick, so that it may change again without a trace.
    std::chrono::milliseconds settled{50};
    std::size_t at_once = 2;  ///< directories that are read; others use the pool, too
    std::size_t kept_bytes = 4 * 1024 * 1024;  ///< of pages
    std::size_t most_waiting = 100;  ///< to be read; who asks for one more is answered with 503
  };
  Listings(std::shared_ptr<const RootDirectory> root, Options options);

  /// Whether there is a directory that can be listed: one look at it, on the loop.
  std::optional<FileIdentity> find(const std::string& relative) const;
  /// What find() has found as a page. Empty: it is no directory any more.
  /// @param path  as in the request, decoded and normalised: "/a b/"
  Task<std::optional<Response>> answer(Loop& loop, const Request& request, std::string relative,
                                       std::string path, FileIdentity directory);
  /// How many were begun to be read so far.
  std::uint64_t reads() const noexcept;

 private:
  struct State;
  struct Job;
  class Wait;
  static void begin_next(Loop& loop, const std::shared_ptr<State>& state);
  static Task<void> make(Loop& loop, std::shared_ptr<State> state, std::shared_ptr<Job> job);

  std::shared_ptr<State> state_;  // of the jobs as well, which may outlive us
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// The child side: joins a Server to its primary by the channel, the scoreboard and the gate. Born
// with one configuration, serves, drains, ends. Made by app/ in a process that has NODE_CHANNEL_FD.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/config/config.h>
#include <pronghorn/server/router.h>

#include "config/access_log_format.h"
#include "ipc/boot.h"

#include <memory>
#include <optional>
#include <string>

namespace pronghorn::worker {

class Worker {
 public:
  struct Options {
    config::Config config;  ///< effective: nothing is "auto" any more but max_connections
    std::uint64_t max_connections = 0;
    UniqueFd channel;
    std::optional<ipc::Boot> boot;  ///< none: the primary is not ours, everything is private
    /// Of the access log, when the master gives us one. Empty: the form for people at a terminal.
    std::optional<config::LogFormat> access_log_format;
    bool colour = false;
    /// Set: this configuration cannot work here. start() tells the primary, which does not start us
    /// again.
    std::optional<Error> fault;
  };
  /// @errors an inherited descriptor that is not what it should be
  static Result<std::unique_ptr<Worker>> create(Loop& loop, Options options, Router router);
  ~Worker();

  /// Says online and asks for the listeners; the rest happens on the loop. When the worker has
  /// drained, the loop is stopped with its exit code: 0, or 78 after a fault.
  void start();

 private:
  struct Impl;
  explicit Worker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::worker

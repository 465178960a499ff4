// SPDX-License-Identifier: Apache-2.0
// The master process: opens the listeners, keeps the workers alive, tells what is going on, stops
// without loss. Performs what Supervisor decides. Called by app; never parses HTTP.
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/config/config.h>

#include "master/access_log_keeper.h"
#include "master/identity.h"
#include "master/start_failure.h"
#include "master/supervisor.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pronghorn::master {

class Master {
 public:
  /// What the ready line says; every worker listens.
  struct Ready {
    std::vector<std::string> urls;  ///< "http://127.0.0.1:8080", "http+unix:/run/x.sock"
    std::vector<config::ListenAddress> addresses;  ///< the same, with the real ports
    std::vector<std::string> opened;  ///< what programs listen on besides: "127.0.0.1:3000"
    std::uint32_t workers = 0;
    int pid = 0;
  };
  /// A foreign program as workers, beside ours or in their place.
  struct Program {
    std::string title;  ///< not empty
    std::string file;   ///< what is executed; without '/': found on the PATH
    std::vector<std::string> args;
    std::uint32_t workers = 1;
  };
  struct Options {
    config::Config config;
    std::string config_toml;                   ///< goes to the workers in a sealed memfd
    std::string config_file;                   ///< for status; empty: none was read
    std::string version;                       ///< for status
    std::string exec_path = "/proc/self/exe";  ///< what a worker is
    std::vector<std::string> argv;             ///< the workers are started with the same
    std::uint32_t workers = 1;                 ///< of our own; 0: programs only
    std::vector<Program> programs{};           ///< their workers' slots follow ours
    AccessLogFile access_log{};                ///< opened by the caller; the workers inherit it
    /// The document roots (Boot::root_fds), opened by the caller, stay theirs; inherited, too.
    std::vector<int> root_fds{};
    /// Descriptors that this process was started with: what programs may ask for by number.
    std::set<std::int64_t> inherited{};
    bool counts_clients = false;  ///< limits go by the client's address: workers share a table
    std::optional<Identity> identity{};  ///< whom workers and programs run as; none: as we do
    SupervisorPolicy policy = {};  ///< slots, drain_timeout and hang_timeout are set from the above
    std::move_only_function<void(const Ready&)> on_ready;
  };

  /// Only takes the values; start() does something.
  Master(Loop& loop, Options options);
  ~Master();
  Master(const Master&) = delete;
  Master& operator=(const Master&) = delete;

  /// Opens the listeners and starts the workers. The rest happens while the loop runs: SIGTERM,
  /// SIGQUIT and SIGINT stop it. At the end the loop is stopped with the exit code of
  /// docs/reference/exit-codes.md (Loop::run() returns it); 130 means: a second SIGINT came, die by
  /// it. Why it gave up is in the log.
  /// @errors what to print after "pronghorn: error: ", and the exit code (75, 77, 70)
  std::expected<void, StartFailure> start();

  /// As the signals do; a second call escalates.
  void stop(StopMode mode);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::master

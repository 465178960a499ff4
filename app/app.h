// SPDX-License-Identifier: Apache-2.0
// A whole server in one object: command line, configuration, master and workers, with routes of
// your own.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/router.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pronghorn {

struct FolderOptions;

/// Takes the options and the configuration of `pronghorn serve`. The program is started again for
/// each worker with the same arguments: main() runs in every process, and run() decides what it
/// becomes.
class App {
 public:
  App(int argc, char** argv);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// A route (server/router.h has the patterns). A malformed or repeated pattern is reported by
  /// run(), which then returns 70 before anything is started.
  App& get(std::string_view pattern, Handler handler);
  App& post(std::string_view pattern, Handler handler);
  App& put(std::string_view pattern, Handler handler);
  App& patch(std::string_view pattern, Handler handler);
  App& del(std::string_view pattern, Handler handler);
  App& any(std::string_view pattern, Handler handler);
  App& get(std::string_view pattern, const RouteOptions& options, Handler handler);
  App& post(std::string_view pattern, const RouteOptions& options, Handler handler);
  App& put(std::string_view pattern, const RouteOptions& options, Handler handler);
  App& patch(std::string_view pattern, const RouteOptions& options, Handler handler);
  App& del(std::string_view pattern, const RouteOptions& options, Handler handler);
  App& any(std::string_view pattern, const RouteOptions& options, Handler handler);
  /// Middleware (Router::before, Router::after). A malformed prefix is the error of a malformed
  /// pattern.
  App& before(std::string_view prefix, Router::Before call);
  App& after(std::string_view prefix, Router::After call);

  /// The files of `directory` below "/assets" (server/folder.h, add_files); not the
  /// configuration's. A folder that cannot be opened is the error of a malformed pattern.
  App& files(std::string_view prefix, const std::string& directory);
  App& files(std::string_view prefix, const std::string& directory, FolderOptions options);

  using Start = std::move_only_function<Result<void>()>;
  using Stop = std::move_only_function<void()>;
  /// Called in each worker, also in one that replaces another, on its loop's thread before it
  /// listens: to open what its handlers share, such as a connection to a database. loop() is there.
  /// It may block, as nobody waits yet, but a worker that does not listen after 30 s is replaced.
  /// An error, or an exception, ends the worker like a death at its start: exit code 1, its reason
  /// in the log, another try with a back-off; where no worker comes up the master gives up with 70.
  /// Several are called in their order. Never called in the master.
  App& on_start(Start call);
  template <class F>
    requires std::is_void_v<std::invoke_result_t<F&>>
  App& on_start(F call) {
    return on_start(Start([call = std::move(call)]() mutable -> Result<void> {
      call();
      return {};
    }));
  }
  /// Called in each worker whose on_start() calls all succeeded, when it has served its last: all
  /// connections are closed, or were cut at drain_timeout; loop() is there and turns no more. The
  /// last is called first. It has 2 s within the stop's own time (drain_timeout, of INT
  /// fast_timeout), but at least 200 ms, then the master ends the worker; after a second signal it
  /// may be called, and has those. Not called in one that is killed or crashes. A coroutine that
  /// waits for what outlives its connection ends after it, unfinished.
  App& on_stop(Stop call);

  /// The worker's loop, which its handlers run on and which offload() wants. Only in what a worker
  /// calls (handlers, middleware, on_start, on_stop): before run(), and in the master, there is
  /// none.
  Loop& loop() noexcept;

  /// Runs until stopped. @returns the exit code for main() (docs/reference/exit-codes.md); errors
  /// were printed to standard error.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn

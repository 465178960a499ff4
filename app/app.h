// SPDX-License-Identifier: Apache-2.0
// A whole server in one object: command line, configuration, master and workers, with routes of
// your own.
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/router.h>

#include <memory>
#include <string_view>

namespace pronghorn {

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

  /// The worker's loop, which its handlers run on and which offload() wants. Only in what a worker
  /// calls (handlers, middleware): before run(), and in the master, there is none.
  Loop& loop() noexcept;

  /// Runs until stopped. @returns the exit code for main() (docs/reference/exit-codes.md); errors
  /// were printed to standard error.
  int run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn

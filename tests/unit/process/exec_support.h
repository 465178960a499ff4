// SPDX-License-Identifier: Apache-2.0
// For the tests of exec and of the synchronous forms: run a command to its end, with a deadline.
#pragma once

#include <pronghorn/process/exec.h>

#include "base/uv/timer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <utility>

namespace pronghorn::test {

/// Runs the loop until nothing is left to wait for.
inline void run_to_end(Loop& loop, const char* what = "the end of all commands") {
  bool is_late = false;
  uv::Timer deadline(loop, [&] {
    is_late = true;
    loop.stop();
  });
  deadline.start(std::chrono::seconds(40));
  deadline.unref();
  loop.run();
  INFO("waited 40 s for ", what);
  REQUIRE_FALSE(is_late);
}

/// The result of a command, once the callback has brought it.
struct Outcome {
  std::optional<process::ExecResult> result;
  int calls = 0;

  process::ExecCallback callback() {
    return [this](const process::ExecResult& r) {
      result = r;
      ++calls;
    };
  }
};

inline process::ExecResult run_exec(std::string command, const process::ExecOptions& options = {}) {
  Loop loop;
  Outcome outcome;
  auto child = process::exec(loop, std::move(command), options, outcome.callback());
  REQUIRE(child.has_value());
  CHECK(outcome.calls == 0);
  run_to_end(loop);
  REQUIRE(outcome.calls == 1);
  return std::move(*outcome.result);
}

inline process::ExecResult run_exec_file(std::string file, std::vector<std::string> args,
                                         const process::ExecOptions& options = {}) {
  Loop loop;
  Outcome outcome;
  auto child =
      process::exec_file(loop, std::move(file), std::move(args), options, outcome.callback());
  REQUIRE(child.has_value());
  CHECK(outcome.calls == 0);
  run_to_end(loop);
  REQUIRE(outcome.calls == 1);
  return std::move(*outcome.result);
}

inline const process::Exit kSuccess{.code = 0, .signal = {}};

inline process::Exit exit_code(int code) { return {.code = code, .signal = {}}; }
inline process::Exit exit_signal(int number) { return {.code = {}, .signal = number}; }

inline std::string error_of(const process::ExecResult& r) {
  return r.error ? r.error->name() + ": " + r.error->message() : "";
}

}  // namespace pronghorn::test

// SPDX-License-Identifier: Apache-2.0
// exec and exec_file: start, collect the output, tell once. Node's child_process.exec and execFile,
// with a callback or awaited.
#pragma once

#include <pronghorn/process/child_process.h>
#include <pronghorn/process/options.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::process {

/// What a command did.
struct ExecResult {
  Exit exit{};
  std::string out{};  ///< at most max_buffer bytes, also after an error
  std::string err{};
  /// Why it is no success: Errc::command_failed ("Command failed: CMD\n" and stderr) after another
  /// exit than 0, a signal or a timeout; Errc::stdio_max_buffer; Errc::aborted; the errno of a
  /// failed start.
  std::optional<Error> error{};
  bool killed = false;  ///< we ended it: timeout, signal, max_buffer
  std::string cmd{};    ///< file and arguments, by spaces

  bool ok() const noexcept { return !error; }
};

using ExecCallback = std::move_only_function<void(const ExecResult&)>;

/// Runs `command` in a shell (/bin/sh -c). The callback comes once, from the loop, as the first of
/// the close listeners; after a timeout at once, also when a grandchild holds the pipes.
/// @errors wrong arguments, as spawn
Result<ChildProcess> exec(Loop& loop, std::string command, const ExecOptions& options,
                          ExecCallback callback);
/// Runs `file` with `args`, without a shell unless options.shell says so.
Result<ChildProcess> exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                               const ExecOptions& options, ExecCallback callback);

/// A running exec that can be awaited once: `ExecResult r = co_await exec(loop, "ls");`. Starts
/// when made, not when awaited. Wrong arguments come as the result's error.
class [[nodiscard]] Execution {
 public:
  Execution(Execution&&) noexcept;
  Execution& operator=(Execution&&) noexcept;
  ~Execution();
  /// Null when it was refused.
  ChildProcess* child() noexcept;

  bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> waiter) noexcept;
  ExecResult await_resume();

 private:
  friend struct ExecutionAccess;
  struct State;
  explicit Execution(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

Execution exec(Loop& loop, std::string command, const ExecOptions& options = {});
Execution exec_file(Loop& loop, std::string file, std::vector<std::string> args = {},
                    const ExecOptions& options = {});

}  // namespace pronghorn::process

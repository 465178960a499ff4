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
  bool killed = false;  ///< a signal of ours was delivered: timeout, signal, max_buffer, kill()
  std::string cmd{};    ///< file and arguments, by spaces

  bool ok() const noexcept { return !error; }
};

using ExecCallback = std::move_only_function<void(const ExecResult&)>;

/// Runs `command` in a shell (/bin/sh -c, or options.shell). The callback comes once, from the
/// loop, as the first of the close listeners, also when the ChildProcess was dropped; after a
/// timeout, `signal` or max_buffer as soon as the process is gone, also when a grandchild holds the
/// pipes. Once it has come the loop keeps nothing of the command. A child's standard input is a
/// pipe that stays open: end it, `in().end()`, for a program that reads all of it.
/// @errors as spawn; the callback does not come then
Result<ChildProcess> exec(Loop& loop, std::string command, const ExecOptions& options,
                          ExecCallback callback);
/// Runs `file` with `args`, without a shell unless options.shell says so.
Result<ChildProcess> exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                               const ExecOptions& options, ExecCallback callback);

/// A running exec, to be awaited once:
///
///   ExecResult r = co_await exec(loop, "ls");
///
/// Starts when made, not when awaited; wrong arguments come as the result's error. Dropped, it
/// leaves the command alone. Must not outlive the loop.
class [[nodiscard]] Execution {
 public:
  struct State;
  class Awaiter {
   public:
    explicit Awaiter(std::shared_ptr<State> state) noexcept;
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    /// A coroutine that is destroyed while it waits is not gone on with.
    ~Awaiter();
    bool await_ready() const noexcept;
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    ExecResult await_resume();

   private:
    std::shared_ptr<State> state_;
  };

  Execution(Execution&&) noexcept;
  Execution& operator=(Execution&&) noexcept;
  ~Execution();
  /// Null when it was refused.
  ChildProcess* child() noexcept;

  Awaiter operator co_await() const noexcept;

 private:
  friend struct ExecutionAccess;
  explicit Execution(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// An exec whose options were made by braces in its call, to be awaited by name:
///
///   auto ls = exec(loop, "ls", {.max_buffer = 4096});
///   ExecResult r = co_await ls;
///
/// Within a co_await's expression gcc 12 copies such options bit by bit, and destroys both
/// (docs/decisions/0009-await-by-name.md).
class [[nodiscard]] NamedExecution : private Execution {
 public:
  explicit NamedExecution(Execution&& execution) : Execution(std::move(execution)) {}
  using Execution::child;
  Awaiter operator co_await() & noexcept { return Execution::operator co_await(); }
  Awaiter operator co_await() && = delete;
};

Execution exec(Loop& loop, std::string command);
Execution exec(Loop& loop, std::string command, const ExecOptions& options);
NamedExecution exec(Loop& loop, std::string command, ExecOptions&& options);

Execution exec_file(Loop& loop, std::string file);
Execution exec_file(Loop& loop, std::string file, std::vector<std::string> args);
Execution exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                    const ExecOptions& options);
NamedExecution exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                         ExecOptions&& options);

}  // namespace pronghorn::process

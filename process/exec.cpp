// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/exec.h>
#include <pronghorn/process/spawn.h>

#include "process/child_state.h"
#include "process/collector.h"
#include "process/stream_access.h"

#include <array>
#include <string_view>
#include <utility>

namespace pronghorn::process {
namespace {

using Done = std::move_only_function<void(ExecResult&&)>;

std::string join(const std::string& file, const std::vector<std::string>& args) {
  std::string joined = file;
  for (const std::string& arg : args) joined.append(" ").append(arg);
  return joined;
}

// One command on its way. Belongs to the hooks of its child, which the loop holds until close.
class Operation : public std::enable_shared_from_this<Operation> {
 public:
  Operation(std::string cmd, const ExecOptions& options, Done done)
      : collectors_{Collector(options.max_buffer), Collector(options.max_buffer)},
        encoding_(options.encoding),
        kill_signal_(options.kill_signal),
        done_(std::move(done)) {
    result_.cmd = std::move(cmd);
  }

  void begin(ChildProcess& child) {
    child_ = &ChildProcessAccess::state(child);
    auto self = shared_from_this();
    ChildProcessAccess::hold(child,
                             {.on_error = [self](const Error& error) { self->on_error(error); },
                              .on_timeout = [self] { self->destroy_streams(); },
                              .on_close = [self](const Exit& exit) { self->on_close(exit); }});
    StreamAccess::collect(child.out(), [this](std::string_view bytes) { on_data(0, bytes); });
    StreamAccess::collect(child.err(), [this](std::string_view bytes) { on_data(1, bytes); });
  }

 private:
  void on_data(std::size_t which, std::string_view bytes) {
    if (collectors_[which].add(bytes) || result_.error) return;
    auto self = shared_from_this();
    result_.error = Error(Errc::stdio_max_buffer, std::string(which == 0 ? "stdout" : "stderr") +
                                                      " max_buffer length exceeded");
    destroy_streams();
    if (auto hit = child_->kill(kill_signal_); !hit) finish({});
  }

  // It did not start or was aborted: close follows. Otherwise it could not be killed (EPERM), and
  // nobody knows when it will end.
  void on_error(const Error& error) {
    bool was_refused_to_die = child_->pid && error.code() != Errc::aborted;
    if (!result_.error) result_.error = error;
    destroy_streams();
    if (was_refused_to_die) finish({});
  }

  void on_close(const Exit& exit) {
    bool is_success = exit.code == 0;
    if (!result_.error && !is_success) has_failed_ = true;
    finish(exit);
  }

  // Without them close comes as soon as the process is gone.
  void destroy_streams() {
    child_->slots[1].stream.destroy();
    child_->slots[2].stream.destroy();
  }

  void finish(const Exit& exit) {
    if (!done_) return;
    result_.exit = exit;
    result_.killed = child_->killed;
    result_.out = collectors_[0].take(encoding_);
    result_.err = collectors_[1].take(encoding_);
    if (has_failed_) {
      result_.error =
          Error(Errc::command_failed, "Command failed: " + result_.cmd + "\n" + result_.err);
    }
    // Out of here first: it may do anything, and must not come again.
    Done done = std::exchange(done_, nullptr);
    done(std::move(result_));
  }

  ChildProcessAccess::State* child_ = nullptr;  // lives until on_close has returned
  std::array<Collector, 2> collectors_;
  Encoding encoding_;
  Signal kill_signal_;
  bool has_failed_ = false;
  ExecResult result_;
  Done done_;
};

Result<ChildProcess> start_operation(Loop& loop, std::string file, std::vector<std::string> args,
                                     const ExecOptions& options, Shell shell, Done done) {
  auto operation = std::make_shared<Operation>(join(file, args), options, std::move(done));
  auto child = spawn(loop, std::move(file), std::move(args),
                     {.cwd = options.cwd,
                      .env = options.env,
                      .env_merge = options.env_merge,
                      .uid = options.uid,
                      .gid = options.gid,
                      .shell = std::move(shell),
                      .signal = options.signal,
                      .timeout = options.timeout,
                      .kill_grace = options.kill_grace,
                      .kill_signal = options.kill_signal});
  if (child) operation->begin(*child);
  return child;
}

Done tell(ExecCallback callback) {
  return [callback = std::move(callback)](ExecResult&& result) mutable {
    if (callback) callback(result);
  };
}

// As Node: no shell is no choice here.
Shell shell_of_exec(const ExecOptions& options) {
  return options.shell && *options.shell ? *options.shell : Shell(true);
}

Shell shell_of_exec_file(const ExecOptions& options) { return options.shell.value_or(Shell()); }

}  // namespace

Result<ChildProcess> exec(Loop& loop, std::string command, const ExecOptions& options,
                          ExecCallback callback) {
  return start_operation(loop, std::move(command), {}, options, shell_of_exec(options),
                         tell(std::move(callback)));
}

Result<ChildProcess> exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                               const ExecOptions& options, ExecCallback callback) {
  return start_operation(loop, std::move(file), std::move(args), options,
                         shell_of_exec_file(options), tell(std::move(callback)));
}

struct Execution::State {
  std::optional<ChildProcess> child;
  std::optional<ExecResult> result;
  std::coroutine_handle<> waiter;
};

struct ExecutionAccess {
  static Execution start(Loop& loop, std::string file, std::vector<std::string> args,
                         const ExecOptions& options, Shell shell) {
    auto state = std::make_shared<Execution::State>();
    std::string cmd = join(file, args);
    // Weak: the state owns the child, whose hooks own this. With nobody to wait there is nobody to
    // tell.
    auto done = [weak = std::weak_ptr(state)](ExecResult&& result) {
      auto told = weak.lock();
      if (!told) return;
      told->result = std::move(result);
      if (auto waiter = std::exchange(told->waiter, nullptr)) waiter.resume();
    };
    auto child = start_operation(loop, std::move(file), std::move(args), options, std::move(shell),
                                 std::move(done));
    if (child) {
      state->child = std::move(*child);
    } else {
      state->result = ExecResult{.error = std::move(child.error()), .cmd = std::move(cmd)};
    }
    return Execution(std::move(state));
  }
};

Execution::Execution(std::shared_ptr<State> state) : state_(std::move(state)) {}
Execution::Execution(Execution&&) noexcept = default;
Execution& Execution::operator=(Execution&&) noexcept = default;
Execution::~Execution() = default;

ChildProcess* Execution::child() noexcept { return state_->child ? &*state_->child : nullptr; }

Execution::Awaiter Execution::operator co_await() const noexcept { return Awaiter(state_); }

Execution::Awaiter::Awaiter(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
Execution::Awaiter::~Awaiter() { state_->waiter = nullptr; }

bool Execution::Awaiter::await_ready() const noexcept { return state_->result.has_value(); }

void Execution::Awaiter::await_suspend(std::coroutine_handle<> waiter) noexcept {
  state_->waiter = waiter;
}

ExecResult Execution::Awaiter::await_resume() { return std::move(*state_->result); }

Execution exec(Loop& loop, std::string command, const ExecOptions& options) {
  return ExecutionAccess::start(loop, std::move(command), {}, options, shell_of_exec(options));
}

Execution exec(Loop& loop, std::string command) {
  const ExecOptions defaults;
  return exec(loop, std::move(command), defaults);
}

NamedExecution exec(Loop& loop, std::string command, ExecOptions&& options) {
  return NamedExecution(exec(loop, std::move(command), std::as_const(options)));
}

Execution exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                    const ExecOptions& options) {
  return ExecutionAccess::start(loop, std::move(file), std::move(args), options,
                                shell_of_exec_file(options));
}

Execution exec_file(Loop& loop, std::string file, std::vector<std::string> args) {
  const ExecOptions defaults;
  return exec_file(loop, std::move(file), std::move(args), defaults);
}

Execution exec_file(Loop& loop, std::string file) {
  return exec_file(loop, std::move(file), std::vector<std::string>());
}

NamedExecution exec_file(Loop& loop, std::string file, std::vector<std::string> args,
                         ExecOptions&& options) {
  return NamedExecution(exec_file(loop, std::move(file), std::move(args), std::as_const(options)));
}

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// The synchronous forms: spawn on a loop that nobody else has, run until the child has closed.
#include <pronghorn/process/spawn.h>
#include <pronghorn/process/sync.h>

#include "process/child_state.h"
#include "process/collector.h"
#include "process/copy_to_stderr.h"
#include "process/validate.h"

#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace pronghorn::process {
namespace {

// Node's words for the same failures of spawn.
Error as_sync_error(const Error& error) {
  const FailedCall* call = error.call();
  if (call == nullptr) return error;
  return Error(error).with_call(
      {.syscall = "spawnSync " + call->path, .path = call->path, .spawnargs = call->spawnargs});
}

class SyncRun {
 public:
  explicit SyncRun(const SyncOptions& options) : options_(options) {}

  Result<SyncResult> run(std::string file, std::vector<std::string> args) {
    auto stdio = take_stdio();
    if (!stdio) return std::unexpected(std::move(stdio.error()));
    auto child = spawn(loop_, std::move(file), std::move(args), spawn_options(std::move(*stdio)));
    if (child) {
      follow(*child);
      loop_.run();
    } else if (child.error().call() == nullptr) {
      return std::unexpected(std::move(child.error()));
    } else {  // E2BIG and others, which spawn tells at once
      result_.error = as_sync_error(child.error());
    }
    return finish();
  }

 private:
  // The whole of stdio, and what is written to it. `input` is written to a pipe.
  Result<std::vector<Stdio>> take_stdio() {
    std::vector<Stdio> entries = options_.stdio.entries();
    if (options_.input) {
      if (entries.empty()) entries.emplace_back(Stdio::pipe);
      entries[0] = Stdio::with_input(*options_.input);
    }
    auto stdio = complete_stdio(std::move(entries), StdioUse::sync);
    if (!stdio) return stdio;
    for (Stdio& entry : *stdio) {
      inputs_.push_back(entry.kind() == Stdio::input ? entry.bytes() : "");
      if (entry.kind() == Stdio::input) entry = Stdio::pipe;
    }
    return stdio;
  }

  SpawnOptions spawn_options(std::vector<Stdio> stdio) const {
    return {.cwd = options_.cwd,
            .env = options_.env,
            .env_merge = options_.env_merge,
            .argv0 = options_.argv0,
            .stdio = std::move(stdio),
            .uid = options_.uid,
            .gid = options_.gid,
            .shell = options_.shell.value_or(Shell()),
            .timeout = options_.timeout,
            .kill_grace = options_.kill_grace,
            .kill_signal = options_.kill_signal};
  }

  void follow(ChildProcess& child) {
    child_ = &ChildProcessAccess::state(child);
    const Command& command = child_->command;
    call_ = {.syscall = "spawnSync " + command.file,
             .path = command.file,
             .spawnargs = {command.argv.begin() + 1, command.argv.end()}};
    result_.pid = child.pid();
    ChildProcessAccess::hold(child, {.on_error = [this](const Error& error) { on_error(error); },
                                     .on_timeout = [this] { on_timeout(); },
                                     .on_close = [this](const Exit& exit) { on_close(exit); }});
    collectors_.reserve(inputs_.size());  // the streams' listeners point into it
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      Stream* stream = child.stdio(i);
      collectors_.emplace_back();
      if (stream == nullptr) continue;
      if (i > 0) {
        collectors_[i].emplace(options_.max_buffer);
        stream->on_data([this, i](std::string_view bytes) { on_data(i, bytes); });
      }
      // A child that does not read its input is no failure: EPIPE goes unheard.
      stream->end(inputs_[i]);
    }
  }

  void on_data(std::size_t which, std::string_view bytes) {
    if (collectors_[which]->add(bytes) || result_.error) return;
    fail(ENOBUFS, fmt::format("more than max_buffer, {} bytes, on {}", options_.max_buffer,
                              which == 1   ? "stdout"
                              : which == 2 ? "stderr"
                                           : fmt::format("descriptor {}", which)));
    if (auto hit = child_->kill(options_.kill_signal); !hit) on_error(hit.error());
  }

  void on_timeout() {
    if (!result_.error) {
      fail(ETIMEDOUT, fmt::format("timed out after {} ms", options_.timeout.count()));
    }
    destroy_streams();
  }

  // In our words: errno's speak of connections and of buffers in the kernel.
  void fail(int error, const std::string& why) {
    result_.error = Error(std::error_code(error, std::generic_category()),
                          fmt::format("{}: {}", call_.syscall, why))
                        .with_call(call_);
    destroy_streams();
  }

  // It did not start: close follows. Otherwise it could not be killed (EPERM): do not wait for it.
  void on_error(const Error& error) {
    if (!result_.error) result_.error = as_sync_error(error);
    if (result_.pid) loop_.stop();
  }

  // What did not start has no status here, as in Node: its errno is in the error.
  void on_close(const Exit& exit) {
    if (result_.pid) result_.exit = exit;
  }

  void destroy_streams() {
    for (auto& slot : child_->slots) slot.stream.destroy();
  }

  SyncResult finish() {
    for (auto& collector : collectors_) {
      result_.output.emplace_back();
      if (collector) result_.output.back() = collector->take(options_.encoding);
    }
    if (!result_.pid) result_.output.clear();
    if (result_.output.size() > 2) {
      result_.out = result_.output[1].value_or("");
      result_.err = result_.output[2].value_or("");
    }
    return std::move(result_);
  }

  const SyncOptions& options_;
  FailedCall call_;
  std::vector<std::string> inputs_;                   // by descriptor
  std::vector<std::optional<Collector>> collectors_;  // by descriptor
  SyncResult result_;
  ChildProcessAccess::State* child_ = nullptr;  // lives as long as the child
  Loop loop_;                                   // last: what it holds points to the others
};

std::expected<std::string, SyncFailure> run_checked(std::string file, std::vector<std::string> args,
                                                    SyncOptions options, std::string cmd) {
  auto ran = spawn_sync(std::move(file), std::move(args), options);
  if (!ran) return std::unexpected(SyncFailure{.error = std::move(ran.error())});
  if (!options.stdio.is_given()) copy_to_stderr(ran->err);
  if (ran->error) {
    Error error = *ran->error;
    return std::unexpected(SyncFailure{.error = std::move(error), .result = std::move(*ran)});
  }
  if (ran->exit.code == 0) return std::move(ran->out);
  std::string text = "Command failed: " + std::move(cmd);
  if (!ran->err.empty()) text.append("\n").append(ran->err);
  return std::unexpected(SyncFailure{.error = Error(Errc::command_failed, std::move(text)),
                                     .result = std::move(*ran)});
}

}  // namespace

Result<SyncResult> spawn_sync(std::string file, std::vector<std::string> args,
                              const SyncOptions& options) {
  try {
    return SyncRun(options).run(file, std::move(args));
  } catch (const std::system_error& no_loop) {  // EMFILE, say
    return SyncResult{.error = Error(no_loop.code(), no_loop.what())
                                   .with_call({.syscall = "spawnSync " + file, .path = file})};
  }
}

std::expected<std::string, SyncFailure> exec_sync(std::string command, const SyncOptions& options) {
  SyncOptions with_shell = options;
  if (!options.shell || !*options.shell) with_shell.shell = Shell(true);
  std::string cmd = command;
  return run_checked(std::move(command), {}, std::move(with_shell), std::move(cmd));
}

std::expected<std::string, SyncFailure> exec_file_sync(std::string file,
                                                       std::vector<std::string> args,
                                                       const SyncOptions& options) {
  std::string cmd = file;
  for (const std::string& arg : args) cmd.append(" ").append(arg);
  return run_checked(std::move(file), std::move(args), options, std::move(cmd));
}

}  // namespace pronghorn::process

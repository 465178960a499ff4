// SPDX-License-Identifier: Apache-2.0
// What is behind a ChildProcess: its streams, channel, timers and listeners, and when which of them
// is told. Made by spawn; exec keeps it beyond the ChildProcess.
#pragma once

#include <pronghorn/base/listeners.h>
#include <pronghorn/process/child_process.h>
#include <pronghorn/process/options.h>

#include "base/uv/async.h"
#include "base/uv/timer.h"
#include "process/channel_end.h"
#include "process/child_access.h"
#include "process/reaper.h"
#include "process/validate.h"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace pronghorn::process {

struct ChildProcess::State : std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, Command command, std::size_t max_pending);

  // Once each, in this order, while it is made.
  /// @param count  the descriptors of the child, 3 or more
  void reserve_streams(std::size_t count);
  Result<void> open_stream(std::size_t index, UniqueFd fd);
  Result<void> open_channel(UniqueFd fd, ipc::ChannelLimits limits);
  Result<void> watch(Launched launched);
  /// In place of watch(): error and close follow.
  void fail_start(Error error);
  void end_when(Milliseconds timeout, Milliseconds grace, const Signal& signal,
                const std::stop_token& token);

  /// The ChildProcess is gone. What exec holds goes on without the user's listeners.
  void abandon() noexcept;
  /// @see ChildProcessAccess
  void hold(ChildHooks hooks);

  Result<bool> kill(const Signal& signal);
  Result<std::size_t> kill_tree(const Signal& signal);
  Result<bool> send(const Json& message, const ipc::Handle* handle, ipc::Channel::Sent sent);
  void disconnect();
  void emit_error(const Error& error);

  struct Slot {
    Stream stream;
    bool is_pipe = false;
  };
  Loop& loop;
  const Command command;
  std::vector<Slot> slots;  // as long as the object is: references to its streams are handed out
  std::optional<int> pid;
  std::optional<Error> start_error;
  std::optional<Exit> exit;
  bool killed = false;
  bool detached = false;  // leads a process group
  std::optional<Reaper> reaper;

  struct Events {
    Listeners<std::move_only_function<void()>> spawn;
    Listeners<std::move_only_function<void(const Error&)>> error;
    Listeners<std::move_only_function<void(const Exit&)>> exit;
    Listeners<std::move_only_function<void(const Exit&)>> close;
    void clear() noexcept;
  } events;
  ChannelEnd channel;

 private:
  void on_spawned();
  void on_exit(const Exit& how);
  void on_timeout();
  void on_stopped();
  void finish();
  void maybe_close();
  void disarm_stop() noexcept;
  void disarm() noexcept;
  void tear_down() noexcept;

  std::size_t open_streams_ = 0;
  bool told_end_ = false;  // exit, or the error of the start, was told
  bool closed_ = false;
  std::optional<ChildHooks> hooks_;
  const void* held_ = nullptr;  // what the loop holds while there are hooks

  Signal end_signal_ = SIGTERM;
  Milliseconds grace_{0};
  bool escalating_ = false;
  std::optional<uv::Timer> timer_;
  std::stop_token token_;
  std::optional<uv::Async> stopped_;
  // Last, so that it goes first: its destructor waits for a stop that runs in another thread.
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace pronghorn::process

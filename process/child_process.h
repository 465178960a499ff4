// SPDX-License-Identifier: Apache-2.0
// A child process: its streams, its channel, its events. Made by spawn, fork, exec and exec_file;
// Node's ChildProcess.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/json_fwd.h>
#include <pronghorn/process/exit.h>
#include <pronghorn/process/signal.h>
#include <pronghorn/process/stream.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::process {

/// Listeners are called from the loop only, never from within a call of ours, several of one event
/// in the order in which they were added; each may destroy the ChildProcess. Their order is Node's
/// (docs/reference/child_process.md): spawn, then data and messages, exit, close; where the process
/// could not be started: error, close. They must not throw.
///
/// Keep it until on_close: destroying it calls no listener any more, closes the streams and the
/// channel (a child that writes to one gets SIGPIPE), and leaves the process alone; it does not
/// keep the loop running then, and is still reaped while that runs. What exec and exec_file collect
/// belongs to the loop: their callback comes also when this is gone.
class ChildProcess {
 public:
  ~ChildProcess();
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;

  /// Empty when it could not be started.
  std::optional<int> pid() const noexcept;
  /// Child's descriptors 0, 1 and 2 as we see them; an ended Stream where they are no pipes.
  Stream& in() noexcept;
  Stream& out() noexcept;
  Stream& err() noexcept;
  /// Null where descriptor `n` of the child is no pipe.
  Stream* stdio(std::size_t n) noexcept;

  /// Both empty while it runs; then exactly one is set. A failed start: code is a negative errno.
  std::optional<int> exit_code() const noexcept;
  std::optional<int> signal_code() const noexcept;
  /// A signal was delivered by kill(); not that the process has died. kill(0) does not count.
  bool killed() const noexcept;
  const std::string& spawnfile() const noexcept;
  /// argv, argv[0] included.
  const std::vector<std::string>& spawnargs() const noexcept;

  /// Signals the process, never its children, and never a stranger that got its number again.
  /// @returns false when it is gone  @errors Errc::unknown_signal, EPERM
  Result<bool> kill(Signal signal = SIGTERM);
  /// Signals the process and its descendants, as far as they are found below it (also with
  /// `detached` or `own_group`, its process group): each is stopped first, so that none escapes by
  /// forking meanwhile, and none is hit twice. Works also when the process itself is gone and led
  /// its group.
  /// @returns how many were signalled  @errors Errc::unknown_signal, EPERM
  Result<std::size_t> kill_tree(Signal signal = SIGTERM);

  /// Sends a message. @see ipc::Channel::send for the result  @errors Errc::ipc_channel_closed when
  /// there is no channel, or not any more
  Result<bool> send(const Json& message, ipc::Channel::Sent sent = {});
  Result<bool> send(const Json& message, const ipc::Handle& handle, ipc::Channel::Sent sent = {});
  /// What is queued still leaves; `disconnect` follows, and `close` after `exit`. Again: the error
  /// listener gets Errc::ipc_disconnected.
  void disconnect();
  /// There is a channel, and disconnect() was not called.
  bool connected() const noexcept;
  /// Null without one, and after the end. Its internal messages are for on_internal().
  ipc::Channel* channel() noexcept;

  /// Whether the process keeps the loop running (it does at first). The channel and the streams are
  /// separate.
  void ref() noexcept;
  void unref() noexcept;

  void on_spawn(std::move_only_function<void()> listener);
  /// It could not be started (with FailedCall), was aborted (Errc::aborted), its channel failed, or
  /// it refused a handle, which is lost (then it is still connected()).
  void on_error(std::move_only_function<void(const Error&)> listener);
  void on_exit(std::move_only_function<void(const Exit&)> listener);
  /// After exit, and the end of all streams and of the channel. Always comes.
  void on_close(std::move_only_function<void(const Exit&)> listener);
  void on_disconnect(std::move_only_function<void()> listener);
  // std::function where Json is told: gcc 12's move_only_function wants it complete.
  /// Messages wait for the first listener. With a handle in an argument, take its `fd` to keep it.
  void on_message(std::function<void(const Json&)> listener);
  void on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener);
  /// Messages whose cmd begins with "NODE_", which are no user's: cluster's.
  void on_internal(std::function<void(const Json&, ipc::ReceivedHandle&)> listener);

 private:
  friend struct ChildProcessAccess;
  struct State;
  explicit ChildProcess(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace pronghorn::process

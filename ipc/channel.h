// SPDX-License-Identifier: Apache-2.0
// Node's IPC channel, either end: JSON lines over a Unix-domain stream socket, sockets by
// SCM_RIGHTS. Byte for byte what Node v20 speaks in its "json" mode. Used by process::ChildProcess
// and by workers.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/ipc/internal_message.h>
#include <pronghorn/ipc/limits.h>
#include <pronghorn/json_fwd.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

using Json = nlohmann::json;

class Channel {
 public:
  struct Handlers {
    // std::function where Json is told: gcc 12's move_only_function wants it complete.
    /// A message that is not internal (Node: 'message'). The handle is empty when none came.
    std::function<void(const Json&, ReceivedHandle)> on_message{};
    /// `cmd` is longer than "NODE_" and begins with it (Node: 'internalMessage'). NODE_HANDLE is
    /// already unwrapped and acknowledged; the counting of sockets (NODE_SOCKET_…) is done within.
    std::function<void(const Json&, ReceivedHandle)> on_internal{};
    /// A handle was refused by the peer four times, and is lost with its message (Node:
    /// SentHandleNotReceivedWarning). The channel goes on.
    std::move_only_function<void(const Error&)> on_handle_lost{};
    /// Once, when the channel has ended: EOF, disconnect(), or after on_error.
    std::move_only_function<void()> on_disconnect{};
    /// The peer broke the protocol (not JSON, a line over max_message, nesting over 512,
    /// descriptors that no message announces or that are no sockets); the channel closes, and
    /// on_disconnect follows.
    std::move_only_function<void(const Error&)> on_error{};
  };
  using Limits = ChannelLimits;

  /// Takes our end of the socket pair; sets CLOEXEC. Callbacks come from the loop only, never from
  /// within a call of ours, and each may destroy the Channel. Empty ones are allowed.
  static Result<Channel> open(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits = {});
  ~Channel();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;

  /// Told when the message has left us: after the write, for a handle after its ACK; or with the
  /// error that it never will. From the loop only, in the order of the sends; not any more once the
  /// Channel is destroyed.
  using Sent = std::move_only_function<void(const Error*)>;

  /// Queues a message; order is kept, also behind a handle that is not yet acknowledged. The first
  /// of a turn of the loop is written at once; the others together before the loop waits again, at
  /// disconnect() or by the destructor.
  /// @returns Node's `subprocess.send`: false when 128 KiB or more wait unsent, or when more than
  ///          this one wait for a handle's acknowledgement (slow down; `sent` tells when to go on)
  /// @errors Errc::ipc_channel_closed; the queue's limit (ENOBUFS); over max_message (EMSGSIZE); a
  ///         Json whose cmd begins with "NODE_", which is for internal messages, or nesting over
  ///         512 (Errc::invalid_arg_value). `sent` is not called then.
  Result<bool> send(const Json& message, Sent sent = {});
  Result<bool> send(const InternalMessage& message, Sent sent = {});
  /// Sends `message` in a NODE_HANDLE with a socket. Up to 16 of them that follow one another
  /// directly leave before the first is acknowledged (Node: one). One that the peer refuses, being
  /// out of descriptors, is repeated after those under way. The descriptor is duplicated: the
  /// caller keeps its own, and may close it at once. A listening socket should be non-blocking: the
  /// flag travels with it, and libuv 1.44 peers rely on it.
  /// @errors also: not a socket (Errc::invalid_handle_type), no descriptor left (EMFILE)
  Result<bool> send(const Json& message, const Handle& handle, Sent sent = {});
  Result<bool> send(const InternalMessage& message, const Handle& handle, Sent sent = {});

  /// How many sockets sent with `key` the peer still has (Node: server.getConnections asks so).
  /// @errors in the callback: Errc::child_closed_before_reply
  void count_sockets(std::string_view key,
                     std::move_only_function<void(Result<std::size_t>)> reply);
  /// Calls once none of the sockets sent with `key` lives at the peer any more, or the channel has
  /// ended (Node: server.close waits for it). At once, from the loop, when none was ever sent.
  void when_sockets_closed(std::string_view key, std::move_only_function<void()> closed);

  /// Sends what is queued, then closes: the peer sees EOF. on_disconnect follows. Goes on reading
  /// when paused: what is queued may wait for an acknowledgement.
  /// @returns false when it was called before, or the channel has ended
  bool disconnect();
  /// False from the call of disconnect() on.
  bool is_connected() const noexcept;
  /// Stops and goes on reading: messages, acknowledgements and the end stay unread meanwhile.
  void pause() noexcept;
  void resume() noexcept;
  /// Unsent bytes, those behind an unacknowledged handle included.
  std::size_t queued() const noexcept;
  /// Bytes of the line whose message is being delivered (on_message, on_internal).
  std::size_t message_bytes() const noexcept;
  /// Whether an open channel keeps the loop running (it does at first).
  void ref() noexcept;
  void unref() noexcept;
  /// As ref() and unref(), as long as neither was called.
  void ref_by_default(bool referenced) noexcept;
  /// -1 when closed.
  int fd() const noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  explicit Channel(std::unique_ptr<Impl, Close> impl);
  std::unique_ptr<Impl, Close> impl_;
};

/// The descriptor that our parent gave us as channel, by NODE_CHANNEL_FD; removes Node's three
/// variables from the environment and sets CLOEXEC. Empty when there is none. `unique_id`, which
/// may be null, gets NODE_UNIQUE_ID or "".
/// @errors a number that is no open socket; NODE_CHANNEL_SERIALIZATION_MODE other than "json"
Result<UniqueFd> take_inherited_channel(std::string* unique_id);

}  // namespace pronghorn::ipc

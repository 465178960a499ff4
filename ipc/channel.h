// SPDX-License-Identifier: Apache-2.0
// Node's IPC channel, either end: JSON lines over a Unix-domain stream socket, sockets by
// SCM_RIGHTS. Byte for byte what Node v20 speaks in its "json" mode. Used by process::ChildProcess
// and by workers.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/internal_message.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace pronghorn::ipc {

using Json = nlohmann::json;

/// Node's words for what kind of handle a descriptor becomes at the receiver.
enum class HandleType : std::uint8_t {
  net_native,
  net_socket,
  net_server,
  dgram_native,
  dgram_socket
};

struct ChannelLimits {
  /// Bytes of one line: more is a protocol error, and refused by send().
  std::size_t max_message = 64 * 1024 * 1024;
  /// Unsent bytes before send() refuses (a peer that never reads).
  std::size_t max_queued = SIZE_MAX;
};

class Channel {
 public:
  struct Handlers {
    // std::function where Json is told: gcc 12's move_only_function wants it complete.
    /// A message that is not internal (Node: 'message'). The descriptor is empty when none came.
    std::function<void(const Json&, UniqueFd)> on_message;
    /// `cmd` is longer than "NODE_" and begins with it (Node: 'internalMessage'). NODE_HANDLE is
    /// already unwrapped and acknowledged.
    std::function<void(const Json&, UniqueFd)> on_internal;
    /// Once, when the channel has ended: EOF, disconnect(), or after on_error.
    std::move_only_function<void()> on_disconnect;
    /// The peer broke the protocol (not JSON, a line over max_message, nesting over 512,
    /// descriptors that no message announces or that are no sockets); the channel closes, and
    /// on_disconnect follows.
    std::move_only_function<void(const Error&)> on_error;
  };
  using Limits = ChannelLimits;

  /// Takes our end of the socket pair; sets CLOEXEC. Callbacks come from the loop only, never from
  /// within a call of ours, and each may destroy the Channel. Empty ones are allowed.
  static Result<Channel> open(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits = {});
  ~Channel();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;

  /// Queues a message; order is kept, also behind a handle that is not yet acknowledged.
  /// @returns false: queued, but 128 KiB or more are waiting (slow down)
  /// @errors closed (EPIPE); the queue's limit (ENOBUFS); over max_message (EMSGSIZE); a Json whose
  ///         cmd begins with "NODE_", which is for internal messages (EINVAL); nesting over 512
  Result<bool> send(const Json& message);
  Result<bool> send(const InternalMessage& message);
  /// Sends `message` in a NODE_HANDLE with a socket. The descriptor is duplicated: the caller keeps
  /// its own. A listening socket should be non-blocking: the flag travels with it, and libuv 1.44
  /// peers rely on it.
  /// @errors also: not a socket (ENOTSOCK), no descriptor left (EMFILE)
  Result<bool> send(const Json& message, HandleType type, int fd);
  Result<bool> send(const InternalMessage& message, HandleType type, int fd);

  /// Sends what is queued, then closes: the peer sees EOF. on_disconnect follows. Again: nothing
  /// happens.
  void disconnect();
  bool is_connected() const noexcept;
  /// Whether an open channel keeps the loop running (it does at first).
  void ref() noexcept;
  void unref() noexcept;

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

// SPDX-License-Identifier: Apache-2.0
// Node's IPC channel, either end: JSON lines over a Unix-domain stream socket, sockets by SCM_RIGHTS.
// Byte for byte what Node v20 speaks in its "json" mode. Used by process::ChildProcess and by workers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <nlohmann/json_fwd.hpp>

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

namespace pronghorn::ipc {

using Json = nlohmann::json;

/// Node's words for what kind of handle a descriptor becomes at the receiver.
enum class HandleType : std::uint8_t { net_native, net_socket, net_server, dgram_native, dgram_socket };

class Channel {
 public:
  struct Handlers {
    /// A message that is not internal (Node: 'message'). The descriptor is empty when none came.
    std::move_only_function<void(const Json&, UniqueFd)> on_message;
    /// `cmd` is longer than "NODE_" and begins with it (Node: 'internalMessage'). NODE_HANDLE is already
    /// unwrapped and acknowledged.
    std::move_only_function<void(const Json&, UniqueFd)> on_internal;
    /// Once, when the channel has ended: EOF, disconnect(), or after on_error.
    std::move_only_function<void()> on_disconnect;
    /// The peer broke the protocol (not JSON, a line over max_message, nesting over 512); the channel closes.
    std::move_only_function<void(const Error&)> on_error;
  };
  struct Limits {
    std::size_t max_message = 64 * 1024 * 1024;   ///< bytes of one line; more is a protocol error
    std::size_t max_queued = SIZE_MAX;            ///< unsent bytes before send() refuses (a peer that never reads)
  };

  /// Takes our end of the socket pair. Never sets O_NONBLOCK (MSG_DONTWAIT); sets CLOEXEC.
  static Result<Channel> open(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits = {});
  ~Channel();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;

  /// Queues a message; order is kept, also behind a handle that is not yet acknowledged.
  /// @returns false: queued, but more than 128 KiB is waiting (slow down)
  /// @errors closed; the queue's limit
  Result<bool> send(const Json& message);
  /// Sends `message` in a NODE_HANDLE with a socket. The descriptor is duplicated: the caller keeps its own.
  Result<bool> send(const Json& message, HandleType type, int fd);

  /// Sends what is queued, then closes: the peer sees EOF. on_disconnect follows.
  void disconnect();
  bool is_connected() const noexcept;
  /// Whether an open channel keeps the loop running (it does at first).
  void ref() noexcept;
  void unref() noexcept;

 private:
  struct Impl;
  struct Close { void operator()(Impl*) const noexcept; };
  explicit Channel(std::unique_ptr<Impl, Close> impl);
  std::unique_ptr<Impl, Close> impl_;
};

/// The descriptor that our parent gave us as channel, by NODE_CHANNEL_FD; removes Node's three variables
/// from the environment and sets CLOEXEC. Empty when there is none. `unique_id` gets NODE_UNIQUE_ID or "".
/// @errors a number that is no open socket; NODE_CHANNEL_SERIALIZATION_MODE other than "json"
Result<UniqueFd> take_inherited_channel(std::string* unique_id);

}  // namespace pronghorn::ipc

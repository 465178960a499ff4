// SPDX-License-Identifier: Apache-2.0
// Sockets that travel over a channel (Node's sendHandle).
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace pronghorn::ipc {

/// Node's words for what a descriptor becomes at the receiver.
enum class HandleType : std::uint8_t {
  net_native,    ///< a raw handle: what cluster sends
  net_socket,    ///< a connection
  net_server,    ///< a listening socket; the receiver calls listen(2) again
  dgram_native,  ///< a raw UDP handle
  dgram_socket   ///< a UDP socket
};

/// A socket to be sent. Borrowed: it is duplicated when the send is called, unless it is `shared`.
struct Handle {
  HandleType type = HandleType::net_native;
  int fd = -1;
  /// net_socket: "<4|6>:<address>:<port>" of the server that accepted it. Sockets with a key are
  /// counted (Channel::count_sockets); empty: not counted.
  std::string key{};
  /// Owns `fd`, which is known to be a socket: the channel keeps this until the peer has it, and
  /// saves the duplicate's two system calls and the look at what it is.
  std::shared_ptr<const UniqueFd> shared{};
  /// From the loop, instead of on_handle_lost: the peer refused it and its message (it is out of
  /// descriptors). Not called once the channel has ended.
  std::function<void()> on_lost{};

  static Handle server(int fd) { return {.type = HandleType::net_server, .fd = fd}; }
  static Handle socket(int fd, std::string key = {}) {
    return {.type = HandleType::net_socket, .fd = fd, .key = std::move(key)};
  }
  static Handle udp(int fd) { return {.type = HandleType::dgram_socket, .fd = fd}; }
  static Handle native(int fd) { return {.type = HandleType::net_native, .fd = fd}; }
  static Handle native(std::shared_ptr<const UniqueFd> socket) {
    const int fd = socket->get();
    return {.type = HandleType::net_native, .fd = fd, .shared = std::move(socket)};
  }
  static Handle native_udp(int fd) { return {.type = HandleType::dgram_native, .fd = fd}; }
};

/// A socket that came. Sockets from Node are non-blocking.
struct ReceivedHandle {
  HandleType type = HandleType::net_native;
  UniqueFd fd;
  /// Keep it as long as the connection lives: the sender's server counts it (getConnections), and
  /// waits for it to go (server.close). Null without a key.
  std::shared_ptr<void> counted{};

  explicit operator bool() const noexcept { return static_cast<bool>(fd); }
};

}  // namespace pronghorn::ipc

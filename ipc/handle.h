// SPDX-License-Identifier: Apache-2.0
// Sockets that travel over a channel (Node's sendHandle).
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <cstdint>
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

/// A socket to be sent. Borrowed: it is duplicated when the send is called.
struct Handle {
  HandleType type = HandleType::net_native;
  int fd = -1;
  /// net_socket: "<4|6>:<address>:<port>" of the server that accepted it. Sockets with a key are
  /// counted (Channel::count_sockets); empty: not counted.
  std::string key{};

  static Handle server(int fd) { return {HandleType::net_server, fd, {}}; }
  static Handle socket(int fd, std::string key = {}) {
    return {HandleType::net_socket, fd, std::move(key)};
  }
  static Handle udp(int fd) { return {HandleType::dgram_socket, fd, {}}; }
  static Handle native(int fd) { return {HandleType::net_native, fd, {}}; }
  static Handle native_udp(int fd) { return {HandleType::dgram_native, fd, {}}; }
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

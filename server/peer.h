// SPDX-License-Identifier: Apache-2.0
// Who is at the ends of a connection, as logs and handlers are told. Used where connections
// begin.
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>

namespace pronghorn::server {

/// Of a connection that somebody else accepted.
sockaddr_storage peer_address(int fd) noexcept;

/// Text without an allocation: "127.0.0.1", "::1", "unix".
class Peer {
 public:
  void describe(const sockaddr_storage& address);
  std::string_view view() const noexcept { return view_; }

 private:
  char text_[INET6_ADDRSTRLEN];
  std::string_view view_ = "";  // who has left already is nobody
};

/// The port at our end; 0: there is none.
std::uint16_t local_port(int fd) noexcept;

}  // namespace pronghorn::server

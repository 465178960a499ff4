// SPDX-License-Identifier: Apache-2.0
// Who is at the ends of a connection, as logs and handlers are told. Used where connections
// begin.
#pragma once

#include <cstdint>
#include <cstring>
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

/// Such a text, in 17 bytes and without an allocation where it has up to 16 characters, as every
/// IPv4 address has: each idle connection has one.
class PeerText {
 public:
  explicit PeerText(std::string_view text);
  ~PeerText();
  PeerText(const PeerText&) = delete;
  PeerText& operator=(const PeerText&) = delete;
  std::string_view view() const noexcept {
    return {size_ <= sizeof bytes_ ? bytes_ : outside(), size_};
  }

 private:
  char* outside() const noexcept {
    char* text;
    std::memcpy(&text, bytes_, sizeof text);
    return text;
  }

  char bytes_[16];  // the text, or where it is
  std::uint8_t size_;
};

/// The port at our end; 0: there is none.
std::uint16_t local_port(int fd) noexcept;

}  // namespace pronghorn::server

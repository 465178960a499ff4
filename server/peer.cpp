// SPDX-License-Identifier: Apache-2.0
#include "server/peer.h"

#include <algorithm>
#include <arpa/inet.h>

namespace pronghorn::server {

void Peer::describe(const sockaddr_storage& address) {
  if (address.ss_family == AF_UNSPEC) return;
  const void* bytes = nullptr;
  int family = address.ss_family;
  if (family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  } else if (family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    bytes = &v6;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {  // a dual-stack listener: people know it as IPv4
      family = AF_INET;
      bytes = &v6.s6_addr[12];
    }
  }
  view_ = "unix";
  if (bytes != nullptr && ::inet_ntop(family, bytes, text_, sizeof text_) != nullptr) {
    view_ = text_;
  }
}

PeerText::PeerText(std::string_view text)
    : size_(static_cast<std::uint8_t>(std::min<std::size_t>(text.size(), INET6_ADDRSTRLEN))) {
  char* to = bytes_;
  if (size_ > sizeof bytes_) {
    to = new char[size_];
    std::memcpy(bytes_, &to, sizeof to);
  }
  std::memcpy(to, text.data(), size_);
}

PeerText::~PeerText() {
  if (size_ > sizeof bytes_) delete[] outside();
}

sockaddr_storage peer_address(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  // A client that has left already has no name any more; reading will tell.
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    address.ss_family = AF_UNSPEC;
  }
  return address;
}

std::uint16_t local_port(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family != AF_INET6) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>

namespace pronghorn::server {

void Peer::describe(const sockaddr_storage& address) {
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

void prepare_connection(int fd, Peer& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  // A client that has left already has no name any more; reading will tell.
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) peer.describe(address);
  if (address.ss_family == AF_INET || address.ss_family == AF_INET6) {
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  int flags = ::fcntl(fd, F_GETFL);
  if ((flags & O_NONBLOCK) == 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
#include "master/listening_socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace pronghorn::master {
namespace {

void set_option(int fd, int level, int name, int value) noexcept {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

int option(int fd, int level, int name) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) < 0 ? 0 : value;
}

int backlog_of(int fd) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  // Of a listener this member is the queue's limit (tcp_get_info() in the kernel).
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0
             ? SOMAXCONN
             : static_cast<int>(info.tcpi_sacked);
}

}  // namespace

std::expected<UniqueFd, int> listen_tcp(const sockaddr* where, socklen_t size,
                                        const TcpOptions& options) {
  UniqueFd fd(::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) return std::unexpected(errno);
  // Never SO_REUSEPORT: with it a second server of the same user would silently take half of the
  // connections. SO_REUSEADDR alone only ignores TIME_WAIT (socket(7)).
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.is_http) {
    // Accepted sockets inherit it: one system call less per connection.
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  }
  if (where->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(where);
    bool dual = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) && !options.v6_only;
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual ? 0 : 1);
  }
  if (::bind(fd.get(), where, size) < 0) return std::unexpected(errno);
  if (::listen(fd.get(), options.backlog) < 0) return std::unexpected(errno);
  return fd;
}

std::expected<UniqueFd, int> listen_beside(int fd) {
  sockaddr_storage where{};
  socklen_t size = sizeof where;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) < 0) {
    return std::unexpected(errno);
  }
  UniqueFd sibling(
      ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!sibling) return std::unexpected(errno);
  // Not before the first socket listens, which was bound without: who has the port is told
  // EADDRINUSE.
  set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set_option(sibling.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  set_option(sibling.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  for (int name : {TCP_NODELAY, TCP_DEFER_ACCEPT}) {
    set_option(sibling.get(), IPPROTO_TCP, name, option(fd, IPPROTO_TCP, name));
  }
  if (where.ss_family == AF_INET6) {
    set_option(sibling.get(), IPPROTO_IPV6, IPV6_V6ONLY, option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
  }
  if (::bind(sibling.get(), reinterpret_cast<sockaddr*>(&where), size) < 0) {
    return std::unexpected(errno);
  }
  if (::listen(sibling.get(), backlog_of(fd)) < 0) return std::unexpected(errno);
  return sibling;
}

config::ListenAddress local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  char text[INET6_ADDRSTRLEN] = "";
  config::ListenAddress address;
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    address.port = ntohs(v6.sin6_port);
  } else if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    address.port = ntohs(v4.sin_port);
  } else {
    address.path = reinterpret_cast<const sockaddr_un&>(storage).sun_path;
    if (address.path.empty()) address.path = "unnamed";
  }
  address.host = text;
  return address;
}

}  // namespace pronghorn::master

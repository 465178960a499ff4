// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/server_open.h"

#include "base/listen_socket.h"

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <utility>

namespace pronghorn::master {
namespace {

// libuv's flags, which Node's workers send.
constexpr std::int64_t kIpv6Only = 1;
constexpr std::int64_t kUdpReuseAddress = 4;

using Opened = std::expected<OpenedServer, int>;

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

int backlog_of(const ipc::ClusterMessage& query) noexcept {
  constexpr int kNodes = 511;
  return query.backlog > 0 && query.backlog <= INT_MAX ? static_cast<int>(query.backlog) : kNodes;
}

bool is_port(const ipc::ClusterMessage& query) noexcept {
  return query.port && *query.port >= 0 && *query.port <= UINT16_MAX;
}

// No address is any.
Opened open_tcp(const ipc::ClusterMessage& query) {
  if (!is_port(query)) return std::unexpected(EINVAL);
  config::ListenAddress wanted{
      query.address.value_or(""), static_cast<std::uint16_t>(*query.port), {}};
  auto socket = ListenSocket::open_plain_tcp(wanted.host, wanted.port, backlog_of(query),
                                             (query.flags & kIpv6Only) != 0);
  if (!socket) return std::unexpected(socket.error());
  return OpenedServer{.listener = Listener(std::move(wanted), std::move(*socket))};
}

Opened open_unix(const ipc::ClusterMessage& query) {
  if (!query.address || query.address->empty()) return std::unexpected(EINVAL);
  std::optional<mode_t> mode;
  if (query.readable_all || query.writable_all) mode = S_IRUSR | S_IWUSR;
  if (query.readable_all) *mode |= S_IRGRP | S_IROTH;
  if (query.writable_all) *mode |= S_IWGRP | S_IWOTH;
  auto socket = ListenSocket::open_unix(*query.address, backlog_of(query), mode);
  if (!socket) return std::unexpected(socket.error().error);
  return OpenedServer{.listener = Listener({{}, 0, *query.address}, std::move(*socket))};
}

// A descriptor of ours that somebody else has opened, such as the service manager.
std::expected<UniqueFd, int> borrow(const ipc::ClusterMessage& query, int type) {
  if (!query.fd || *query.fd < 0 || *query.fd > INT_MAX) return std::unexpected(EBADF);
  UniqueFd fd(::fcntl(static_cast<int>(*query.fd), F_DUPFD_CLOEXEC, 3));
  if (!fd) return std::unexpected(errno);
  int is = 0;
  socklen_t size = sizeof is;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &is, &size) < 0) return std::unexpected(errno);
  sockaddr_storage peer{};
  size = sizeof peer;
  // A connection, such as a worker's channel, is no server.
  bool is_connected = ::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  if (is != type || is_connected) return std::unexpected(EINVAL);
  int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) < 0) {
    return std::unexpected(errno);
  }
  return fd;
}

Opened open_descriptor(const ipc::ClusterMessage& query) {
  auto fd = borrow(query, SOCK_STREAM);
  if (!fd) return std::unexpected(fd.error());
  if (::listen(fd->get(), backlog_of(query)) < 0) return std::unexpected(errno);
  ListenSocket socket;
  socket.address = local_address(fd->get());
  if (socket.address.type == AddressType::unix_socket) socket.address.address = "inherited";
  socket.fd = std::move(*fd);
  return OpenedServer{.listener = Listener({}, std::move(socket)), .is_borrowed = true};
}

Opened open_udp(const ipc::ClusterMessage& query) {
  if (query.fd && *query.fd >= 0) {
    auto fd = borrow(query, SOCK_DGRAM);
    if (!fd) return std::unexpected(fd.error());
    return OpenedServer{.datagram = std::move(*fd)};
  }
  const bool v6 = query.address_type == AddressType::udp6;
  if (!is_port(query)) return std::unexpected(EINVAL);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  // Workers look names up themselves (as Node's do): nothing here may wait for a name server.
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string host = query.address.value_or(v6 ? "::" : "0.0.0.0");
  ::getaddrinfo(host.c_str(), std::to_string(*query.port).c_str(), &hints, &list);
  Addresses where(list);
  if (!where || (where->ai_family == AF_INET6) != v6) return std::unexpected(EINVAL);
  UniqueFd fd(::socket(where->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return std::unexpected(errno);
  auto set = [&fd](int level, int name, int value) {
    ::setsockopt(fd.get(), level, name, &value, sizeof value);
  };
  if ((query.flags & kUdpReuseAddress) != 0) set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (v6) set(IPPROTO_IPV6, IPV6_V6ONLY, (query.flags & kIpv6Only) != 0 ? 1 : 0);
  if (::bind(fd.get(), where->ai_addr, where->ai_addrlen) < 0) return std::unexpected(errno);
  return OpenedServer{.datagram = std::move(fd)};
}

}  // namespace

std::expected<OpenedServer, int> open_server(const ipc::ClusterMessage& query) {
  switch (query.address_type) {
    case AddressType::unix_socket:
      return open_unix(query);
    case AddressType::udp4:
    case AddressType::udp6:
      return open_udp(query);
    case AddressType::descriptor:
      return open_descriptor(query);
    case AddressType::ipv4:
    case AddressType::ipv6:
      break;
  }
  return open_tcp(query);
}

std::string server_key(const ipc::ClusterMessage& query) {
  return fmt::format("{}:{}:{}:{}:{}", query.address.value_or("null"),
                     query.port ? std::to_string(*query.port) : "null",
                     ipc::address_type_text(query.address_type),
                     query.fd ? std::to_string(*query.fd) : "undefined", query.index);
}

std::optional<Address> socket_name(const Listener& listener) {
  const auto& address = listener.address();
  if (address.is_unix()) return std::nullopt;
  bool v6 = address.host.contains(':');
  return Address{address.host, address.port, v6 ? AddressType::ipv6 : AddressType::ipv4, {}};
}

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
#include "master/listener.h"

#include <pronghorn/base/log.h>

#include "master/listen_failure.h"
#include "master/syn_filter.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <climits>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace pronghorn::master {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::expected<Addresses, StartFailure> resolve(const config::ListenAddress& wanted) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  // No host is "any": as Node, `::` for both families (node-ipc 3.4).
  const char* host = wanted.host.empty() ? "::" : wanted.host.c_str();
  int status = ::getaddrinfo(host, std::to_string(wanted.port).c_str(), &hints, &list);
  if (status != 0) return std::unexpected(resolve_failure(wanted, status));
  return Addresses(list);
}

void set_option(int fd, int level, int name, int value) noexcept {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

// @returns the listening socket, or -errno
int open_tcp(const addrinfo& where, int backlog, bool v6_only) {
  UniqueFd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) return -errno;
  // Never SO_REUSEPORT: with it a second server of the same user would silently take half of the
  // connections. SO_REUSEADDR alone only ignores TIME_WAIT (socket(7)).
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  // Accepted sockets inherit it: one system call less per connection.
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  if (where.ai_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(where.ai_addr);
    bool dual = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) && !v6_only;
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual ? 0 : 1);
  }
  if (::bind(fd.get(), where.ai_addr, where.ai_addrlen) < 0) return -errno;
  if (::listen(fd.get(), backlog) < 0) return -errno;
  return fd.release();
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
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    address.port = ntohs(v4.sin_port);
  }
  address.host = text;
  return address;
}

}  // namespace

std::expected<Listener, StartFailure> Listener::open(const config::ListenAddress& wanted,
                                                     int backlog, bool v6_only) {
  if (wanted.is_unix()) return open_unix(wanted, backlog);
  auto addresses = resolve(wanted);
  if (!addresses) return std::unexpected(addresses.error());
  int first_error = 0;
  for (const addrinfo* each = addresses->get(); each != nullptr; each = each->ai_next) {
    int fd = open_tcp(*each, backlog, v6_only);
    if (fd >= 0) {
      Listener listener;
      listener.wanted_ = wanted;
      listener.fd_.reset(fd);
      listener.address_ = local_address(fd);
      return listener;
    }
    if (first_error == 0) first_error = -fd;
    // A name's other address does for a family that this machine does not have, not for a taken
    // port.
    if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL) break;
  }
  if (wanted.host.empty() && first_error == EAFNOSUPPORT) {
    auto v4 = wanted;
    v4.host = "0.0.0.0";
    auto listener = open(v4, backlog);
    if (listener) listener->wanted_ = wanted;
    return listener;
  }
  return std::unexpected(listen_failure(wanted, first_error));
}

Listener::~Listener() { close(); }

Listener::Listener(Listener&& other) noexcept
    : wanted_(std::move(other.wanted_)),
      address_(std::move(other.address_)),
      fd_(std::move(other.fd_)),
      owns_path_(std::exchange(other.owns_path_, false)),
      device_(other.device_),
      inode_(other.inode_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this == &other) return *this;
  close();
  wanted_ = std::move(other.wanted_);
  address_ = std::move(other.address_);
  fd_ = std::move(other.fd_);
  owns_path_ = std::exchange(other.owns_path_, false);
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

std::string Listener::url() const {
  return address_.is_unix() ? "http+unix:" + address_.path : "http://" + address_.text();
}

bool Listener::matches(const ipc::ClusterMessage& query) const {
  if (address_.is_unix())
    return query.address == address_.path && query.address_type == AddressType::unix_socket;
  if (query.address_type != AddressType::ipv4 && query.address_type != AddressType::ipv6)
    return false;
  std::string host = query.address.value_or("");
  bool same_host =
      host == wanted_.host || host == address_.host || (host.empty() && address_.host == "::");
  return same_host && query.port && (*query.port == wanted_.port || *query.port == address_.port);
}

Listener::Queue Listener::queue() const noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!fd_ || address_.is_unix() ||
      ::getsockopt(fd_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
    return {};
  // Of a listener these two hold the accept queue and its limit (tcp_get_info() in the kernel).
  return {info.tcpi_unacked, info.tcpi_sacked};
}

void Listener::refuse_new() {
  if (address_.is_unix()) {
    unlink_path();
    return;
  }
  auto done = drop_new_connections(fd_.get());
  if (!done && done.error().errno_value() == EPERM) done = reveal_waiting_connections(fd_.get());
  if (!done) {
    log::warn("connections may be lost",
              {{"listen", address_.text()}, {"why", done.error().message()}},
              "connections may be lost while stopping: " + done.error().message());
  }
}

void Listener::close() noexcept {
  unlink_path();
  fd_.reset();
}

std::expected<std::vector<Listener>, StartFailure> open_listeners(
    const std::vector<config::ListenAddress>& addresses, std::uint64_t backlog) {
  std::vector<Listener> listeners;
  auto length = static_cast<int>(std::min<std::uint64_t>(backlog, INT_MAX));
  for (const auto& address : addresses) {
    // `::` takes IPv4 as well, unless an IPv4 listener of ours wants the same port.
    bool v6_only = std::ranges::any_of(addresses, [&](const config::ListenAddress& other) {
      return !other.is_unix() && other.host == "0.0.0.0" && other.port == address.port &&
             other.port != 0;
    });
    auto listener = Listener::open(address, length, v6_only);
    if (!listener) return std::unexpected(std::move(listener).error());
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

}  // namespace pronghorn::master

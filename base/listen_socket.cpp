// SPDX-License-Identifier: Apache-2.0
#include "base/listen_socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utility>

namespace pronghorn {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::expected<Addresses, int> resolve(const char* host, std::uint16_t port, int flags = 0) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  int status = ::getaddrinfo(host, std::to_string(port).c_str(), &hints, &list);
  if (status != 0) return std::unexpected(status);
  return Addresses(list);
}

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

// @errors errno
std::expected<UniqueFd, int> open_at(const addrinfo& where, int backlog, bool v6_only,
                                     bool is_http) {
  UniqueFd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) return std::unexpected(errno);
  // Never SO_REUSEPORT: with it a second server of the same user would silently take half of the
  // connections. SO_REUSEADDR alone only ignores TIME_WAIT (socket(7)).
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (is_http) {
    // Accepted sockets inherit it: one system call less per connection.
    set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  }
  if (where.ai_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(where.ai_addr);
    bool dual = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) && !v6_only;
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual ? 0 : 1);
  }
  if (::bind(fd.get(), where.ai_addr, where.ai_addrlen) < 0) return std::unexpected(errno);
  if (::listen(fd.get(), backlog) < 0) return std::unexpected(errno);
  return fd;
}

Address address_of(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  Address address;
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    address.port = ntohs(v6.sin6_port);
    address.type = AddressType::ipv6;
  } else if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    address.port = ntohs(v4.sin_port);
  } else {
    address.type = AddressType::unix_socket;
  }
  address.address = text;
  return address;
}

UniqueFd unix_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// @returns 0 when the path is free now, or errno
int clear_stale(const sockaddr_un& address) {
  struct stat info{};
  if (::lstat(address.sun_path, &info) < 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(info.st_mode)) return EEXIST;
  UniqueFd probe = unix_socket();
  if (!probe) return errno;
  // Only ECONNREFUSED says that nobody listens: a full queue is EAGAIN, another user's socket
  // EACCES.
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno != ECONNREFUSED) {
    return errno == EACCES ? EACCES : EADDRINUSE;
  }
  return ::unlink(address.sun_path) < 0 && errno != ENOENT ? errno : 0;
}

// As Node: an absolute path that is too long may fit as a relative one.
std::string as_seen_from_here(const std::string& path) {
  std::error_code failed;
  const auto here = std::filesystem::current_path(failed);
  return failed ? path : std::filesystem::path(path).lexically_relative(here).string();
}

}  // namespace

SocketFile::SocketFile(std::string path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return;
  path_ = std::move(path);
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void SocketFile::remove() noexcept {
  std::string path = std::exchange(path_, {});
  struct stat info{};
  if (!path.empty() && ::lstat(path.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == inode_) {
    ::unlink(path.c_str());
  }
}

std::expected<ListenSocket, ListenSocket::Failure> ListenSocket::open_tcp(const std::string& host,
                                                                          std::uint16_t port,
                                                                          int backlog,
                                                                          bool v6_only) {
  auto addresses = resolve(host.empty() ? "::" : host.c_str(), port);
  if (!addresses) return std::unexpected(Failure{.error = 0, .eai = addresses.error()});
  int first_error = 0;
  for (const addrinfo* each = addresses->get(); each != nullptr; each = each->ai_next) {
    auto fd = open_at(*each, backlog, v6_only, true);
    if (fd) {
      Address address = local_address(fd->get());
      return ListenSocket{.fd = std::move(*fd), .address = std::move(address), .file = {}};
    }
    if (first_error == 0) first_error = fd.error();
    // A name's other address does for a family that this machine does not have, not for a taken
    // port.
    if (fd.error() != EAFNOSUPPORT && fd.error() != EADDRNOTAVAIL) break;
  }
  if (host.empty() && first_error == EAFNOSUPPORT) return open_tcp("0.0.0.0", port, backlog);
  return std::unexpected(Failure{.error = first_error, .eai = 0});
}

std::expected<ListenSocket, int> ListenSocket::open_plain_tcp(const std::string& host,
                                                              std::uint16_t port, int backlog,
                                                              bool v6_only) {
  auto address = resolve(host.empty() ? "::" : host.c_str(), port, AI_NUMERICHOST);
  if (!address) return std::unexpected(EINVAL);
  auto fd = open_at(**address, backlog, v6_only, false);
  if (fd) {
    Address real = local_address(fd->get());
    return ListenSocket{.fd = std::move(*fd), .address = std::move(real), .file = {}};
  }
  // Without IPv6, IPv4 alone.
  bool has_no_v6 = fd.error() == EAFNOSUPPORT || fd.error() == EADDRNOTAVAIL;
  if (host.empty() && has_no_v6) return open_plain_tcp("0.0.0.0", port, backlog, false);
  return std::unexpected(fd.error());
}

std::expected<ListenSocket, ListenSocket::Failure> ListenSocket::open_unix(
    const std::string& path, int backlog, std::optional<mode_t> mode) {
  auto failed = [](int error) { return std::unexpected(Failure{.error = error, .eai = 0}); };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.size() < sizeof address.sun_path ? path : as_seen_from_here(path);
  if (name.size() >= sizeof address.sun_path) return failed(ENAMETOOLONG);
  std::memcpy(address.sun_path, name.c_str(), name.size());
  if (int error = clear_stale(address); error != 0) return failed(error);

  ListenSocket made;
  made.address = {.address = path, .port = 0, .type = AddressType::unix_socket, .fd = {}};
  made.fd = unix_socket();
  if (!made.fd) return failed(errno);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(made.fd.get(), where, sizeof address) < 0) return failed(errno);
  made.file = SocketFile(path);
  if (mode) ::chmod(address.sun_path, *mode);
  if (::listen(made.fd.get(), backlog) < 0) return failed(errno);
  return made;
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
  // Not before the first one listens, which was bound without: who has the port is told EADDRINUSE.
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

std::expected<Address, int> resolve_host(const std::string& host, std::uint16_t port) {
  auto addresses = resolve(host.c_str(), port);
  if (!addresses) return std::unexpected(addresses.error());
  sockaddr_storage storage{};
  std::memcpy(&storage, (*addresses)->ai_addr, (*addresses)->ai_addrlen);
  return address_of(storage);
}

Address local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return address_of(storage);
}

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
#include "master/listener.h"

#include <pronghorn/base/log.h>

#include "master/listen_failure.h"
#include "master/syn_filter.h"

#include <algorithm>
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

}  // namespace

std::expected<Listener, StartFailure> Listener::open(const config::ListenAddress& wanted,
                                                     int backlog, bool v6_only) {
  if (wanted.is_unix()) {
    // Like a loopback port, for every local user; who may come near is the folder's mode.
    auto opened = listen_unix(wanted.path, backlog, 0666);
    if (!opened) return std::unexpected(listen_failure(wanted, opened.error()));
    return Listener(wanted, std::move(opened->fd), std::move(opened->file));
  }
  auto addresses = resolve(wanted);
  if (!addresses) return std::unexpected(addresses.error());
  int first_error = 0;
  for (const addrinfo* each = addresses->get(); each != nullptr; each = each->ai_next) {
    auto fd = listen_tcp(each->ai_addr, each->ai_addrlen,
                         {.backlog = backlog, .v6_only = v6_only, .is_http = true});
    if (fd) return Listener(wanted, std::move(*fd));
    if (first_error == 0) first_error = fd.error();
    // A name's other address does for a family that this machine does not have, not for a taken
    // port.
    if (fd.error() != EAFNOSUPPORT && fd.error() != EADDRNOTAVAIL) break;
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

Listener::Listener(config::ListenAddress wanted, UniqueFd fd, SocketFile file)
    : wanted_(std::move(wanted)), fd_(std::move(fd)), file_(std::move(file)) {
  address_ = wanted_.is_unix() ? wanted_ : local_address(fd_.get());
}

Result<Listener> Listener::beside() const {
  auto fd = listen_beside(fd_.get());
  if (!fd)
    return std::unexpected(
        Error::system(fd.error(), "cannot open a second socket for " + address_.text()));
  return Listener(wanted_, std::move(*fd));
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
    file_.remove();
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
  file_.remove();
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

// SPDX-License-Identifier: Apache-2.0
#include "master/listener.h"

#include <pronghorn/base/log.h>

#include "master/listen_failure.h"
#include "master/syn_filter.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace pronghorn::master {
namespace {

config::ListenAddress as_configured(const Address& address) {
  if (address.type == AddressType::unix_socket) {
    return {.host = {}, .port = 0, .path = address.address};
  }
  return {.host = address.address, .port = address.port, .path = {}};
}

}  // namespace

std::expected<Listener, StartFailure> Listener::open(const config::ListenAddress& wanted,
                                                     int backlog, bool v6_only) {
  // A unix socket is like a loopback port, for every local user; who may come near is the folder's
  // mode.
  auto socket = wanted.is_unix()
                    ? ListenSocket::open_unix(wanted.path, backlog, 0666)
                    : ListenSocket::open_tcp(wanted.host, wanted.port, backlog, v6_only);
  if (!socket) {
    const auto& why = socket.error();
    return std::unexpected(why.eai != 0 ? resolve_failure(wanted, why.eai)
                                        : listen_failure(wanted, why.error));
  }
  return Listener(wanted, std::move(*socket));
}

Listener::Listener(config::ListenAddress wanted, ListenSocket socket)
    : wanted_(std::move(wanted)),
      address_(as_configured(socket.address)),
      fd_(std::move(socket.fd)),
      file_(std::move(socket.file)) {}

Result<Listener> Listener::beside() const {
  auto fd = listen_beside(fd_.get());
  if (!fd) {
    return std::unexpected(
        Error::system(fd.error(), "cannot open a second socket for " + address_.text()));
  }
  ListenSocket socket;
  socket.address = local_address(fd->get());
  socket.fd = std::move(*fd);
  return Listener(wanted_, std::move(socket));
}

std::string Listener::url() const {
  return address_.is_unix() ? "http+unix:" + address_.path : "http://" + address_.text();
}

bool Listener::matches(const ipc::ClusterMessage& query) const {
  if (address_.is_unix()) {
    // Workers ask by the absolute path, as Node's do.
    return query.address_type == AddressType::unix_socket && query.address &&
           (*query.address == address_.path ||
            *query.address == std::filesystem::absolute(address_.path));
  }
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
  if (!done && done.error().errno_value() == EPERM) done = hide_from_new_connections(fd_.get());
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

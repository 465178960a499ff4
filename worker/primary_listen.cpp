// SPDX-License-Identifier: Apache-2.0
#include "worker/primary_listen.h"

#include "base/listen_socket.h"
#include "server/listen_error.h"

#include <arpa/inet.h>
#include <cerrno>
#include <filesystem>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace pronghorn::worker {
namespace {

constexpr std::int64_t kIpv6Only = 1;  // UV_TCP_IPV6ONLY
constexpr int kDefaultBacklog = 511;   // Node's

bool is_numeric(const std::string& host) {
  in_addr v4;
  in6_addr v6;
  return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 ||
         ::inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &v6) == 1;
}

/// A Node primary's socket is only bound, or not even that: libuv keeps EADDRINUSE of bind(2) for
/// listen(2), and that one in another process would take a port of the kernel's choice (Node:
/// checkBindError).
std::optional<Error> make_listen(int fd, const server::ListenRequest& request) {
  const auto& where = request.address;
  if (where.port != 0 && local_address(fd).port != where.port) {
    return server::refused_by_primary(EADDRINUSE, where);
  }
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  int listens = 0;
  socklen_t size = sizeof listens;
  ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
  if (listens != 0) return std::nullopt;  // its backlog is whose that was first
  int backlog = request.backlog > 0 ? static_cast<int>(request.backlog) : kDefaultBacklog;
  if (::listen(fd, backlog) == 0) return std::nullopt;
  return server::listen_error(errno, where);
}

}  // namespace

struct PrimaryListen::Server {
  Ticket ticket = 0;
  Client client;
  server::ListenRequest request;
  ipc::ClusterMessage query{};
  std::string key;
  enum class State : std::uint8_t { refused, asked, granted } state = State::refused;
};

/// Goes when the last server has called `closed`, or is no more.
struct PrimaryListen::Closing {
  Closing(Loop& l, std::weak_ptr<bool> of) : loop(l), alive(std::move(of)) {}
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
  ~Closing() {
    loop.defer([calls = std::move(closed), alive = std::move(alive)] {
      for (const auto& call : calls) {
        if (!alive.expired()) call();
      }
    });
  }

  Loop& loop;
  std::weak_ptr<bool> alive;
  std::vector<std::function<void()>> closed;
};

PrimaryListen::PrimaryListen(Loop& loop, PrimaryLink& link, Names names)
    : loop_(loop), link_(link), names_(names), alive_(std::make_shared<bool>(true)) {
  server::ListenSource::set(loop, this);
}

PrimaryListen::~PrimaryListen() {
  server::ListenSource::set(loop_, nullptr);
  while (!servers_.empty()) close(servers_.begin()->first);
}

Result<ipc::ClusterMessage> PrimaryListen::query_for(const server::ListenRequest& request) const {
  const config::ListenAddress& where = request.address;
  ipc::ClusterMessage query;
  query.backlog = request.backlog;
  query.readable_all = request.readable_all;
  query.writable_all = request.writable_all;
  if (where.is_unix()) {
    // The primary may have another current directory (Node does the same).
    query.address = std::filesystem::absolute(where.path).string();
    query.port = -1;
    query.address_type = AddressType::unix_socket;
    return query;
  }
  query.port = where.port;
  if (!where.host.empty()) query.address = where.host;
  if (names_ == Names::resolved && query.address && !is_numeric(*query.address)) {
    auto resolved = resolve_host(where.host, where.port);
    if (!resolved) return std::unexpected(server::resolve_error(resolved.error(), where));
    query.address = resolved->address;
  }
  // Any address is "::" for both families: one family of it has to be named.
  if (request.ipv6_only && !query.address) query.address = "::";
  if (query.address && query.address->contains(':')) query.address_type = AddressType::ipv6;
  if (request.ipv6_only) query.flags |= kIpv6Only;
  return query;
}

server::ListenSource::Ticket PrimaryListen::listen(const server::ListenRequest& request,
                                                   Client client) {
  auto server = std::make_shared<Server>();
  server->ticket = next_++;
  server->client = std::move(client);
  server->request = request;
  servers_.emplace(server->ticket, server);
  if (auto asked = ask(server); !asked) {
    loop_.soon([this, weak = std::weak_ptr(server), why = std::move(asked.error())] {
      if (auto s = weak.lock()) refuse(s->ticket, why);
    });
  }
  return server->ticket;
}

Result<void> PrimaryListen::ask(const std::shared_ptr<Server>& server) {
  const Error leaving(Errc::ipc_disconnected, "the worker is disconnecting");
  if (is_closing_) return std::unexpected(leaving);
  auto query = query_for(server->request);
  if (!query) return std::unexpected(std::move(query.error()));
  auto sent = link_.query(std::move(*query), [this, weak = std::weak_ptr(server)](auto granted) {
    if (auto s = weak.lock()) on_granted(*s, std::move(granted));
  });
  if (!sent) return std::unexpected(leaving);
  server->query = std::move(*sent);
  server->state = Server::State::asked;
  return {};
}

void PrimaryListen::refuse(Ticket ticket, const Error& error) {
  auto server = servers_.extract(ticket);
  if (!server.empty()) server.mapped()->client.on_granted(std::unexpected(error));
}

void PrimaryListen::on_granted(Server& server, Result<PrimaryLink::Granted> granted) {
  if (!granted) return refuse(server.ticket, granted.error());
  server.key = granted->key;
  server.state = Server::State::granted;
  Grant grant;
  if (granted->socket) {
    if (auto error = make_listen(granted->socket.get(), server.request)) {
      link_.close(server.key);
      return refuse(server.ticket, *error);
    }
    grant.address = local_address(granted->socket.get());
    link_.borrow(server.key, server.client.on_lent, server.client.on_lending_ended);
  } else {
    if (granted->sockname) grant.address = *granted->sockname;
    link_.serve(server.key, server.client.on_connection);
  }
  if (server.request.address.is_unix()) {
    grant.address = {.address = server.request.address.path,
                     .port = 0,
                     .type = AddressType::unix_socket,
                     .fd = {}};
  }
  if (grant.address.port != 0) server.query.port = grant.address.port;
  grant.socket = std::move(granted->socket);
  server.client.on_granted(std::move(grant));
}

void PrimaryListen::listening(Ticket ticket) {
  auto server = servers_.find(ticket);
  if (server != servers_.end()) link_.listening(server->second->query);
}

void PrimaryListen::close(Ticket ticket) noexcept {
  auto server = servers_.extract(ticket);
  if (server.empty()) return;
  const Server& gone = *server.mapped();
  if (gone.state == Server::State::asked) link_.forget(gone.query);
  if (gone.state == Server::State::granted) link_.close(gone.key);
}

void PrimaryListen::close_all(std::function<void()> closed) {
  is_closing_ = true;
  auto closing = closing_.lock();
  if (!closing) closing_ = closing = std::make_shared<Closing>(loop_, alive_);
  closing->closed.push_back(std::move(closed));
  std::vector<Ticket> tickets;
  for (const auto& [ticket, server] : servers_) tickets.push_back(ticket);
  // Emptying a queue calls handlers, by which other servers, and we, may go.
  for (std::weak_ptr alive = alive_; Ticket ticket : tickets) {
    if (alive.expired()) return;
    auto found = servers_.find(ticket);
    if (found == servers_.end()) continue;
    auto server = found->second;
    if (server->client.on_close_asked) server->client.on_close_asked([closing] {});
  }
}

}  // namespace pronghorn::worker

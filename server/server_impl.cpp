// SPDX-License-Identifier: Apache-2.0
#include "server/server_impl.h"

#include <pronghorn/base/uv/offload.h>

#include "server/handler_tasks.h"
#include "server/peer.h"
#include "server/router_impl.h"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <tuple>
#include <utility>

namespace pronghorn {

using server::Connection;

namespace {

Result<config::ListenAddress> parse_address(std::string_view text) {
  // Any address: a configuration has to say which one it means, a program as in Node need not.
  if (!text.starts_with(':') || text.find(':', 1) != std::string_view::npos) {
    return config::ListenAddress::parse(text);
  }
  auto any = config::ListenAddress::parse("[::]" + std::string(text));
  if (!any) return std::unexpected(Error("'" + std::string(text) + "' is not :PORT"));
  any->host.clear();
  return any;
}

/// sendfile(2) and libuv's writes have no MSG_NOSIGNAL.
void ignore_broken_pipes() {
  struct sigaction now{};
  if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
    ::signal(SIGPIPE, SIG_IGN);
  }
}

}  // namespace

Server::Impl::Impl(Loop& loop, Router router, Options options, WorkerCounters* counters)
    : loop_(loop),
      router_(std::move(router)),
      options_(std::move(options)),
      own_counters_(counters == nullptr ? std::make_unique<WorkerCounters>() : nullptr),
      counters_(counters == nullptr ? *own_counters_ : *counters),
      deadlines_(loop, [](WheelEntry& due) { static_cast<Connection&>(due).on_deadline(); }),
      listenings_(loop, *this),
      self_(std::make_shared<Impl*>(this)) {
  profiles_.push_back(std::make_unique<Profile>(*this, options_.limits, options_.timeouts));
  set_offload_queue(loop, options_.limits.offload_queue);
}

Server::Impl::Profile::Profile(Impl& impl, const config::Limits& limit,
                               const config::Timeouts& timeout)
    : limits(limit),
      timeouts(timeout),
      session{.router = impl.router_,
              .limits = limits,
              .date = impl.date_,
              .counters = impl.counters_,
              .answers_id = impl.options_.request_id.answer,
              .pool = server::make_exchange_pool(impl.options_.request_id.trust)},
      context(impl.loop_, session, limits, timeouts, impl.deadlines_, impl) {}

Server::Impl::~Impl() {
  *self_ = nullptr;
  policy = nullptr;
  on_closed_.clear();
  cut_connections();
}

void Server::Impl::add_route(std::string_view method, std::string_view pattern,
                             const RouteOptions& options, Handler handler) {
  note(router_.add(method, pattern, options, std::move(handler)));
  if (in_use_) note(prepare_clients());
}

void Server::Impl::note(Result<void> added) {
  if (!added && !wrong_route_) wrong_route_ = std::move(added.error());
}

Result<void> Server::Impl::listen(std::string_view address, const ListenOptions& options) {
  if (closing_) return std::unexpected(Error("the server was closed"));
  if (wrong_route_) return std::unexpected(*wrong_route_);
  auto where = parse_address(address);
  if (!where) return std::unexpected(std::move(where.error()));
  std::uint32_t profile = add_profile(options, where->text());
  if (auto ready = prepare_clients(); !ready) return std::unexpected(std::move(ready.error()));
  ignore_broken_pipes();
  listenings_.open({.address = std::move(*where),
                    .backlog = options.backlog,
                    .ipv6_only = options.ipv6_only,
                    .readable_all = options.readable_all,
                    .writable_all = options.writable_all},
                   options.exclusive, profile);
  return {};
}

/// The server's own, or a new one where the listener has limits of its own. `address` is the same
/// text in every process: by it they agree where its clients count.
std::uint32_t Server::Impl::add_profile(const ListenOptions& options, std::string_view address) {
  const config::Limits& limits = options.limits.value_or(options_.limits);
  const config::Timeouts& timeouts = options.timeouts.value_or(options_.timeouts);
  if (limits == options_.limits && timeouts == options_.timeouts) return 0;
  auto profile = std::make_unique<Profile>(*this, limits, timeouts);
  auto of_clients = [](const config::Limits& l) {
    return std::tie(l.connections_per_client, l.requests_per_second, l.requests_burst);
  };
  if (of_clients(limits) != of_clients(options_.limits))
    profile->session.client_scope = client_scope(address);
  profile->session.access_log = profiles_.front()->session.access_log;
  profile->session.draining = profiles_.front()->session.draining;
  profiles_.push_back(std::move(profile));
  return static_cast<std::uint32_t>(profiles_.size() - 1);
}

/// Where something goes by the client's address and nobody shares a table with us, one of our own.
Result<void> Server::Impl::prepare_clients() {
  in_use_ = true;
  bool is_wanted = router_.impl().has_limits || std::ranges::any_of(profiles_, [](auto& p) {
                     return p->limits.count_clients();
                   });
  if (!is_wanted) return {};
  auto ready = clients_.prepare(options_.limits.clients);
  for (auto& profile : profiles_) profile->session.clients = clients_.table();
  return ready;
}

void Server::Impl::share_clients(ClientTable* table, std::uint32_t slot) noexcept {
  clients_.share(table, slot);
}

void Server::Impl::set_access_log(server::AccessLog* log) noexcept {
  for (auto& profile : profiles_) profile->session.access_log = log;
}

void Server::Impl::begin_drain() {
  for (auto& profile : profiles_) {
    auto& session = profile->session;
    if (!std::exchange(session.draining, true)) session.tasks->shut_down(loop_, session.tasks);
  }
}

Result<void> Server::Impl::accept_from(UniqueFd listener, std::uint64_t lent,
                                       std::uint32_t profile) {
  if (auto ready = prepare_clients(); !ready) return ready;
  auto acceptor = server::Acceptor::open(loop_, std::move(listener), *this, profile);
  if (!acceptor) return std::unexpected(acceptor.error());
  listeners_.push_back({.acceptor = std::move(*acceptor), .lent = lent});
  update_accepting();
  return {};
}

void Server::Impl::release_socket(std::uint64_t lent) {
  std::erase_if(listeners_, [lent](const Listener& l) { return l.lent == lent; });
  report_if_closed();
}

void Server::Impl::set_accepting(bool on) noexcept {
  accepting_ = on;
  update_accepting();
}

/// A policy's wish does not count once the queues are being emptied: nobody else may come for them.
void Server::Impl::update_accepting() noexcept {
  for (auto& [acceptor, lent] : listeners_) {
    acceptor->set_enabled((accepting_ || acceptor->is_draining()) && has_room());
  }
}

Connection& Server::Impl::admit(UniqueFd socket, std::string_view peer, std::uint16_t port,
                                Profile& profile) {
  Connection* connection = pool_.create(profile.context, std::move(socket), peer, port);
  ++open;
  counters_.accepted.add(1);
  counters_.connections.add(1);
  if (!has_room()) update_accepting();
  return *connection;
}

/// Counts a connection of its client's. Empty: the client has too many.
std::optional<Server::Impl::Client> Server::Impl::count(const sockaddr_storage& peer,
                                                        const Profile& profile) {
  Client client{clients_.key(peer, options_.limits.ipv6_prefix), false};
  switch (clients_.admit(in_scope(client.key, profile.session.client_scope),
                         profile.limits.connections_per_client)) {
    case server::ClientLimits::Admission::refused:
      counters_.connections_refused.add(1);
      return std::nullopt;
    case server::ClientLimits::Admission::counted:
      client.is_counted = true;
      break;
    case server::ClientLimits::Admission::uncounted:
      break;
  }
  return client;
}

void Server::Impl::turn_away(int socket, std::string_view peer, std::uint16_t port, Profile& of) {
  clients_.turn_away(
      {.socket = socket, .peer = peer, .port = port, .answers_id = of.session.answers_id}, date_,
      of.context.receive, of.session.access_log);
  of.context.log_written();
}

void Server::Impl::on_accepted(UniqueFd socket, const sockaddr_storage& address, std::uint16_t port,
                               std::uint32_t profile) {
  Profile& of = *profiles_[profile];
  server::Peer peer;
  peer.describe(address);
  auto client = count(address, of);
  if (!client) return turn_away(socket.get(), peer.view(), port, of);
  Connection& connection = admit(std::move(socket), peer.view(), port, of);
  connection.set_client(client->key, client->is_counted);
  connection.start();
}

/// Counted at once, and read only when its sender has been told that it is ours: one that it would
/// give to another if we died must not be touched. What a channel sends in this turn leaves by a
/// soon() as well, hence the second one.
bool Server::Impl::take_connection(UniqueFd socket, std::uint32_t profile) {
  if (closing_ || !has_room() || !prepare_clients()) return false;
  Profile& of = *profiles_[profile];
  const sockaddr_storage address = server::peer_address(socket.get());
  server::Peer peer;
  peer.describe(address);
  auto client = count(address, of);
  std::uint16_t port = of.session.access_log != nullptr ? server::local_port(socket.get()) : 0;
  Connection& connection = admit(std::move(socket), peer.view(), port, of);
  if (client) connection.set_client(client->key, client->is_counted);
  connection.set_accepted_elsewhere();
  added_.push_back({.connection = &connection,
                    .peer = address,
                    .port = port,
                    .profile = profile,
                    .is_refused = !client});
  if (added_.size() == 1) soon([](Impl& impl) { impl.soon(&Impl::start_added); });
  return true;
}

void Server::Impl::start_added() {
  while (!added_.empty()) {
    const Added next = added_.front();
    added_.pop_front();
    if (next.is_refused) {
      server::Peer peer;
      peer.describe(next.peer);
      turn_away(next.connection->fd(), peer.view(), next.port, *profiles_[next.profile]);
      next.connection->close();
    } else {
      next.connection->start();
    }
  }
}

void Server::Impl::on_wakeup_end() noexcept {
  if (policy != nullptr) policy->on_wakeup_end();
}

void Server::Impl::on_connection_closed(Connection& connection) noexcept {
  if (!added_.empty()) {
    std::erase_if(added_, [&](const Added& each) { return each.connection == &connection; });
  }
  if (connection.is_counted()) clients_.leave(connection.counted_client());
  pool_.destroy(&connection);
  bool was_full = !has_room();
  --open;
  counters_.connections.sub(1);
  if (was_full) update_accepting();
  if (policy != nullptr) policy->on_connection_closed();
  report_if_closed();
}

void Server::Impl::soon(std::function<void(Impl&)> call) {
  loop_.soon([self = self_, call = std::move(call)] {
    if (*self != nullptr) call(**self);
  });
}

void Server::Impl::when_unoccupied(void (Impl::*call)()) {
  bool is_in_session =
      std::ranges::any_of(profiles_, [](auto& p) { return p->context.is_in_session(); });
  if (!is_in_session) return (this->*call)();
  loop_.defer([self = self_, call] {
    if (*self != nullptr) (**self.*call)();
  });
}

void Server::Impl::close(std::function<void()> closed) {
  closing_ = true;
  begin_drain();
  on_closed_.push_back(std::move(closed));
  listenings_.close();
  when_unoccupied(&Impl::drain);
}

void Server::Impl::drain() {
  if (!std::exchange(draining_, true)) {
    for (auto& profile : profiles_) profile->context.quiet_since_ms = loop_.now_ms();
    for (auto& listener : listeners_) listener.acceptor->drain();
    update_accepting();
    deadlines_.wheel().for_each(
        [](WheelEntry& each) { static_cast<Connection&>(each).refresh_deadline(); });
  }
  report_if_closed();
}

void Server::Impl::close_connections() noexcept { when_unoccupied(&Impl::cut_connections); }

void Server::Impl::cut_connections() {
  while (!added_.empty()) added_.front().connection->close();
  while (auto* each = deadlines_.wheel().any()) static_cast<Connection*>(each)->close();
  assert(open == 0 && "what has been started has a deadline");
}

/// At the end of the turn: the callee may destroy us, and we may be deep in a connection's
/// callback.
void Server::Impl::report_if_closed() {
  if (!draining_ || open > 0 || on_closed_.empty()) return;
  bool accepts = std::ranges::any_of(listeners_, [](auto& l) { return !l.acceptor->is_closed(); });
  if (accepts) return;
  loop_.defer([self = self_, calls = std::exchange(on_closed_, {})] {
    for (const auto& call : calls) {
      if (*self != nullptr && call) call();
    }
  });
}

}  // namespace pronghorn

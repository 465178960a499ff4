// SPDX-License-Identifier: Apache-2.0
#include "server/server_impl.h"

#include <pronghorn/base/uv/offload.h>

#include "server/handler_tasks.h"
#include "server/peer.h"

#include <algorithm>
#include <csignal>
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
      session_{.router = router_, .limits = options_.limits, .date = date_, .counters = counters_},
      deadlines_(loop, [](void* owner) { static_cast<Connection*>(owner)->on_deadline(); }),
      context_(loop, session_, options_.limits, options_.timeouts, deadlines_, *this),
      listenings_(loop, *this),
      self_(std::make_shared<Impl*>(this)) {
  set_offload_queue(loop, options_.limits.offload_queue);
}

Server::Impl::~Impl() {
  *self_ = nullptr;
  policy = nullptr;
  on_closed_.clear();
  cut_connections();
}

void Server::Impl::add_route(std::string_view method, std::string_view pattern,
                             const RouteOptions& options, Handler handler) {
  note(router_.add(method, pattern, options, std::move(handler)));
}

void Server::Impl::note(Result<void> added) {
  if (!added && !wrong_route_) wrong_route_ = std::move(added.error());
}

Result<void> Server::Impl::listen(std::string_view address, const ListenOptions& options) {
  if (closing_) return std::unexpected(Error("the server was closed"));
  if (wrong_route_) return std::unexpected(*wrong_route_);
  auto where = parse_address(address);
  if (!where) return std::unexpected(std::move(where.error()));
  ignore_broken_pipes();
  listenings_.open({.address = std::move(*where),
                    .backlog = options.backlog,
                    .ipv6_only = options.ipv6_only,
                    .readable_all = options.readable_all,
                    .writable_all = options.writable_all},
                   options.exclusive);
  return {};
}

Result<void> Server::Impl::accept_from(UniqueFd listener, std::uint64_t lent) {
  auto acceptor = server::Acceptor::open(loop_, std::move(listener), *this);
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

Connection& Server::Impl::admit(UniqueFd socket, std::string_view peer, std::uint16_t port) {
  Connection* connection = pool_.create(context_, std::move(socket), peer, port);
  connection->next = connections_;
  if (connections_ != nullptr) connections_->prev = connection;
  connections_ = connection;
  ++open;
  counters_.accepted.add(1);
  counters_.connections.add(1);
  if (!has_room()) update_accepting();
  return *connection;
}

void Server::Impl::on_accepted(UniqueFd socket, std::string_view peer, std::uint16_t port) {
  admit(std::move(socket), peer, port).start();
}

/// Counted at once, and read only when its sender has been told that it is ours: one that it would
/// give to another if we died must not be touched. What a channel sends in this turn leaves by a
/// soon() as well, hence the second one.
bool Server::Impl::add_connection(UniqueFd socket) {
  if (closing_ || !has_room()) return false;
  server::Peer peer;
  peer.describe(socket.get());
  std::uint16_t port = session_.access_log != nullptr ? server::local_port(socket.get()) : 0;
  Connection& connection = admit(std::move(socket), peer.view(), port);
  connection.set_accepted_elsewhere();
  added_.push_back(&connection);
  if (added_.size() == 1) soon([](Impl& impl) { impl.soon(&Impl::start_added); });
  return true;
}

void Server::Impl::start_added() {
  while (!added_.empty()) {
    Connection* next = added_.front();
    added_.pop_front();
    next->start();
  }
}

void Server::Impl::on_wakeup_end() noexcept {
  if (policy != nullptr) policy->on_wakeup_end();
}

void Server::Impl::on_connection_closed(Connection& connection) noexcept {
  (connection.prev != nullptr ? connection.prev->next : connections_) = connection.next;
  if (connection.next != nullptr) connection.next->prev = connection.prev;
  if (!added_.empty()) std::erase(added_, &connection);
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
  if (!context_.is_in_session()) return (this->*call)();
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

void Server::Impl::begin_drain() {
  if (std::exchange(session_.draining, true)) return;
  session_.tasks->shut_down(loop_, session_.tasks);
}

void Server::Impl::drain() {
  if (!std::exchange(draining_, true)) {
    context_.quiet_since_ms = loop_.now_ms();
    for (auto& listener : listeners_) listener.acceptor->drain();
    update_accepting();
    for (auto* c = connections_; c != nullptr; c = c->next) c->refresh_deadline();
  }
  report_if_closed();
}

void Server::Impl::close_connections() noexcept { when_unoccupied(&Impl::cut_connections); }

void Server::Impl::cut_connections() {
  while (connections_ != nullptr) connections_->close();
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

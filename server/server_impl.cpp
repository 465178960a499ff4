// SPDX-License-Identifier: Apache-2.0
#include "server/server_impl.h"

#include <algorithm>

namespace pronghorn {

using server::Connection;

Server::Impl::Impl(Loop& loop, Router router, Options options, WorkerCounters* counters)
    : loop_(loop),
      router_(std::move(router)),
      options_(std::move(options)),
      own_counters_(counters == nullptr ? std::make_unique<WorkerCounters>() : nullptr),
      counters_(counters == nullptr ? *own_counters_ : *counters),
      session_{.router = router_, .limits = options_.limits, .date = date_, .counters = counters_},
      deadlines_(loop, [](void* owner) { static_cast<Connection*>(owner)->on_deadline(); }),
      context_(loop, session_, options_.limits, options_.timeouts, deadlines_, *this),
      self_(std::make_shared<Impl*>(this)) {}

Server::Impl::~Impl() {
  *self_ = nullptr;
  policy = nullptr;
  on_drained_ = nullptr;
  cut_connections();
}

Result<void> Server::Impl::add_listener(UniqueFd listener) {
  auto acceptor = server::Acceptor::open(loop_, std::move(listener), *this);
  if (!acceptor) return std::unexpected(acceptor.error());
  acceptors_.push_back(std::move(*acceptor));
  update_accepting();
  return {};
}

void Server::Impl::set_accepting(bool on) noexcept {
  accepting_ = on;
  update_accepting();
}

/// A policy's wish does not count once the queues are being emptied: nobody else may come for them.
void Server::Impl::update_accepting() noexcept {
  for (auto& acceptor : acceptors_) {
    acceptor->set_enabled((accepting_ || acceptor->is_draining()) && has_room());
  }
}

void Server::Impl::on_accepted(UniqueFd socket, std::string_view peer) {
  Connection* connection = pool_.create(context_, std::move(socket), peer);
  connection->next = connections_;
  if (connections_ != nullptr) connections_->prev = connection;
  connections_ = connection;
  ++open;
  counters_.accepted.add(1);
  counters_.connections.add(1);
  if (!has_room()) update_accepting();
  connection->start();
}

void Server::Impl::on_wakeup_end() noexcept {
  if (policy != nullptr) policy->on_wakeup_end();
}

void Server::Impl::on_connection_closed(Connection& connection) noexcept {
  (connection.prev != nullptr ? connection.prev->next : connections_) = connection.next;
  if (connection.next != nullptr) connection.next->prev = connection.prev;
  pool_.destroy(&connection);
  bool was_full = !has_room();
  --open;
  counters_.connections.sub(1);
  if (was_full) update_accepting();
  if (policy != nullptr) policy->on_connection_closed();
  report_if_drained();
}

void Server::Impl::when_unoccupied(void (Impl::*call)()) {
  if (!context_.is_in_session()) return (this->*call)();
  loop_.defer([self = self_, call] {
    if (*self != nullptr) (**self.*call)();
  });
}

void Server::Impl::close_listeners(std::function<void()> on_drained) {
  session_.draining = true;
  on_drained_ = std::move(on_drained);
  when_unoccupied(&Impl::drain_listeners);
}

void Server::Impl::drain_listeners() {
  if (closing_) return;
  closing_ = true;
  context_.quiet_since_ms = loop_.now_ms();
  for (auto& acceptor : acceptors_) acceptor->drain();
  update_accepting();
  for (auto* c = connections_; c != nullptr; c = c->next) c->refresh_deadline();
  report_if_drained();
}

void Server::Impl::close_connections() noexcept { when_unoccupied(&Impl::cut_connections); }

void Server::Impl::cut_connections() {
  while (connections_ != nullptr) connections_->close();
}

/// At the end of the turn: the callee may destroy us, and we may be deep in a connection's
/// callback.
void Server::Impl::report_if_drained() {
  if (!closing_ || open > 0 || !on_drained_) return;
  bool listening = std::ranges::any_of(acceptors_, [](auto& a) { return !a->is_closed(); });
  if (listening) return;
  loop_.defer([call = std::exchange(on_drained_, nullptr)] { call(); });
}

}  // namespace pronghorn

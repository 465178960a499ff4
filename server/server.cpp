// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/server.h>

#include "server/server_impl.h"

namespace pronghorn {

Server::Server(Loop& loop, Router router, Options options, WorkerCounters* counters)
    : impl_(std::make_unique<Impl>(loop, std::move(router), std::move(options), counters)) {}
Server::~Server() = default;

Result<void> Server::add_listener(UniqueFd listener) {
  return impl_->add_listener(std::move(listener));
}
void Server::set_accepting(bool on) noexcept { impl_->set_accepting(on); }
void Server::set_accept_policy(server::AcceptPolicy* policy) noexcept { impl_->policy = policy; }
void Server::set_access_log(server::AccessLog* log) noexcept { impl_->session().access_log = log; }

void Server::begin_drain() noexcept { impl_->session().draining = true; }
void Server::close_listeners(std::function<void()> on_drained) {
  impl_->close_listeners(std::move(on_drained));
}
void Server::close_connections() noexcept { impl_->close_connections(); }

std::uint64_t Server::connections() const noexcept { return impl_->open; }

}  // namespace pronghorn

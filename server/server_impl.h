// SPDX-License-Identifier: Apache-2.0
// Server's inside: who is connected, whether accepting goes on, and the way to the end.
#pragma once

#include <pronghorn/base/counters.h>
#include <pronghorn/server/accept_policy.h>
#include <pronghorn/server/server.h>

#include "server/acceptor.h"
#include "server/connection.h"
#include "server/connection_context.h"
#include "server/date.h"
#include "server/deadlines.h"
#include "server/pool.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace pronghorn {

struct Server::Impl final : private server::Acceptor::Owner,
                            private server::ConnectionContext::Owner {
  Impl(Loop& loop, Router router, Options options, WorkerCounters* counters);
  ~Impl();

  Result<void> add_listener(UniqueFd listener);
  void set_accepting(bool on) noexcept;
  void close_listeners(std::function<void()> on_drained);
  void close_connections() noexcept;

  server::AcceptPolicy* policy = nullptr;
  std::uint64_t open = 0;
  server::SessionContext& session() noexcept { return session_; }

 private:
  bool has_room() const noexcept override { return open < options_.max_connections; }
  bool takes_another() noexcept override { return policy == nullptr || policy->takes_another(); }
  void on_accepted(UniqueFd socket, std::string_view peer) override;
  void on_wakeup_end() noexcept override;
  void on_accept_failed() noexcept override {
    if (policy != nullptr) policy->on_accept_failed();
  }
  void on_acceptor_closed() noexcept override { report_if_drained(); }
  void on_connection_closed(server::Connection& connection) noexcept override;

  /// Runs `call` now, or at the end of the turn when a handler is on the stack; never after the
  /// end.
  void when_unoccupied(void (Impl::*call)());
  void drain_listeners();
  void cut_connections();
  void update_accepting() noexcept;
  void report_if_drained();

  Loop& loop_;
  Router router_;
  Options options_;
  std::unique_ptr<WorkerCounters> own_counters_;
  WorkerCounters& counters_;
  server::DateCache date_;
  server::SessionContext session_;
  server::Deadlines deadlines_;
  server::ConnectionContext context_;
  server::Pool<server::Connection> pool_;
  server::Connection* connections_ = nullptr;
  std::vector<std::unique_ptr<server::Acceptor>> acceptors_;
  std::shared_ptr<Impl*> self_;  // empty once we are gone: for deferred calls
  std::function<void()> on_drained_;
  bool accepting_ = true;
  bool closing_ = false;
};

}  // namespace pronghorn

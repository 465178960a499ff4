// SPDX-License-Identifier: Apache-2.0
// Server's inside: who is connected, whether accepting goes on, and the way to the end.
#pragma once

#include <pronghorn/base/counters.h>
#include <pronghorn/server/accept_policy.h>
#include <pronghorn/server/server.h>

#include "server/acceptor.h"
#include "server/client_limits.h"
#include "server/connection.h"
#include "server/connection_context.h"
#include "server/date.h"
#include "server/deadlines.h"
#include "server/listenings.h"
#include "server/pool.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace pronghorn {

struct Server::Impl final : private server::Acceptor::Owner,
                            private server::Listenings::Owner,
                            private server::ConnectionContext::Owner {
  Impl(Loop& loop, Router router, Options options, WorkerCounters* counters);
  ~Impl();

  void add_route(std::string_view method, std::string_view pattern, const RouteOptions& options,
                 Handler handler);
  /// Keeps the first error, for listen().
  void note(Result<void> added);
  Router& router() noexcept { return router_; }
  void begin_drain();
  Result<void> listen(std::string_view address, const ListenOptions& options);
  Result<void> add_listener(UniqueFd listener) { return accept_from(std::move(listener), 0, 0); }
  bool add_connection(UniqueFd socket) { return take_connection(std::move(socket), 0); }
  void share_clients(ClientTable* table, std::uint32_t slot) noexcept;
  void set_access_log(server::AccessLog* log) noexcept;
  void set_accepting(bool on) noexcept;
  void close(std::function<void()> closed);
  void close_connections() noexcept;

  server::AcceptPolicy* policy = nullptr;
  std::uint64_t open = 0;
  server::Listenings& listenings() noexcept { return listenings_; }

 private:
  /// What holds for the connections of one or more listeners. The first is the server's own.
  struct Profile {
    Profile(Impl& impl, const config::Limits& limit, const config::Timeouts& timeout);

    const config::Limits limits;
    const config::Timeouts timeouts;
    server::SessionContext session;
    server::ConnectionContext context;
  };
  struct Listener {
    std::unique_ptr<server::Acceptor> acceptor;
    std::uint64_t lent = 0;  // 0: ours
  };

  Result<void> accept_from(UniqueFd listener, std::uint64_t lent, std::uint32_t profile) override;
  void release_socket(std::uint64_t lent) override;
  bool take_connection(UniqueFd socket, std::uint32_t profile) override;
  void on_close_asked(std::function<void()> closed) override { close(std::move(closed)); }

  bool has_room() const noexcept override { return open < options_.max_connections; }
  bool takes_another() noexcept override { return policy == nullptr || policy->takes_another(); }
  void on_accepted(UniqueFd socket, const sockaddr_storage& peer, std::uint16_t port,
                   std::uint32_t profile) override;
  void on_wakeup_end() noexcept override;
  void on_accept_failed() noexcept override {
    if (policy != nullptr) policy->on_accept_failed();
  }
  void on_acceptor_closed() noexcept override { report_if_closed(); }
  void on_connection_closed(server::Connection& connection) noexcept override;

  std::uint32_t add_profile(const ListenOptions& options, std::string_view address);
  Result<void> prepare_clients();
  struct Client {
    ClientKey key = 0;
    bool is_counted = false;
  };
  std::optional<Client> count(const sockaddr_storage& peer, const Profile& profile);
  server::Connection& admit(UniqueFd socket, std::string_view peer, std::uint16_t port,
                            Profile& profile);
  void turn_away(int socket, std::string_view peer, std::uint16_t port, Profile& of);
  void start_added();
  /// Not after the end.
  void soon(std::function<void(Impl&)> call);
  /// Runs `call` now, or at the end of the turn when a handler is on the stack; never after the
  /// end.
  void when_unoccupied(void (Impl::*call)());
  void drain();
  void cut_connections();
  void update_accepting() noexcept;
  void report_if_closed();

  Loop& loop_;
  Router router_;
  Options options_;
  std::unique_ptr<WorkerCounters> own_counters_;
  WorkerCounters& counters_;
  server::DateCache date_;
  server::Deadlines deadlines_;
  server::ClientLimits clients_;
  std::vector<std::unique_ptr<Profile>> profiles_;  // never empty
  server::Pool<server::Connection> pool_;
  std::vector<Listener> listeners_;
  server::Listenings listenings_;
  struct Added {
    server::Connection* connection;
    sockaddr_storage peer;
    std::uint16_t port;
    std::uint32_t profile;
    bool is_refused;
  };
  std::deque<Added> added_;      // by add_connection(), and not read yet
  std::shared_ptr<Impl*> self_;  // empty once we are gone: for deferred calls
  std::vector<std::function<void()>> on_closed_;
  std::optional<Error> wrong_route_;  // the first
  bool accepting_ = true;
  bool closing_ = false;   // close() was called
  bool draining_ = false;  // … and the queues are being emptied
  bool in_use_ = false;    // prepare_clients() was called
};

}  // namespace pronghorn

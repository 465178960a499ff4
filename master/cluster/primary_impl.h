// SPDX-License-Identifier: Apache-2.0
// The parts of Primary; only primary.cpp and primary_query.cpp include this.
#pragma once

#include "master/cluster/hand_over.h"
#include "master/cluster/primary.h"
#include "master/cluster/server_handle.h"
#include "master/cluster/server_open.h"

#include <expected>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace pronghorn::master {

struct Primary::Impl {
  /// One call of drain().
  struct Drain {
    std::size_t left = 0;  // servers, and one for the call itself
    std::function<void()> done;
  };
  /// What workers that ask alike share.
  struct Server {
    std::string key;
    Listener* adopted = nullptr;  // null: `own`
    OpenedServer own{};
    std::unique_ptr<ServerHandle> handle{};  // borrows the sockets above
    std::string data = "null";               // of the first worker that gave some
    std::set<Id> members{};
    std::shared_ptr<Drain> draining{};

    const Listener* listener() const noexcept {
      return adopted != nullptr ? adopted : own.listener ? &*own.listener : nullptr;
    }
  };
  Impl(Loop& event_loop, Options values, Events handlers);

  // primary.cpp
  void drained(Server& server);
  bool let_leave(Member& member, std::int64_t seq);
  void leave_all(Member& member);
  void close(Member& member, const std::string& key);
  void erase(Server& server);

  // primary_query.cpp
  void query(Member& member, const ipc::ClusterMessage& query);
  Server* find(const ipc::ClusterMessage& query) const;
  std::expected<Server*, int> open(const ipc::ClusterMessage& query);
  Result<std::unique_ptr<ServerHandle>> make_handle(const Listener& listener,
                                                    const std::string& key, bool is_ours);
  int grant(Member& member, Server& server, const ipc::ClusterMessage& query);
  void lost(Id id, const ipc::ClusterMessage& query);
  void refuse(Member& member, const ipc::ClusterMessage& query, int error);

  Loop& loop;
  Options options;
  std::shared_ptr<const Events> events;  // shared: a call of one may destroy the Primary
  HandOverTotals totals;
  std::int64_t next_seq = 0;
  std::map<Id, std::unique_ptr<Member>> members;
  // Borrow the members above.
  std::vector<std::unique_ptr<Server>> servers;
  std::shared_ptr<Drain> draining;  // keeps it from the servers' end to its done
};

}  // namespace pronghorn::master

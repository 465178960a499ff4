// SPDX-License-Identifier: Apache-2.0
// A worker's half of Node's cluster protocol (node-ipc 3.4), with a primary of ours or Node's: what
// is asked, what is answered, and the connections that are handed over. Does no I/O: it is given a
// function to send by, and what arrives. Used by serve's Worker and by the Cluster facade.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/ipc/internal_message.h>
#include <pronghorn/json_fwd.h>

#include "ipc/cluster_messages.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace pronghorn::worker {

using Json = nlohmann::json;

/// Any callback may destroy it.
class PrimaryLink {
 public:
  struct Handlers {
    std::function<Result<bool>(const ipc::InternalMessage&)> send;
    /// The primary asks us to leave (act 'disconnect').
    std::function<void()> on_disconnect_asked;
  };
  /// What the primary answered to a query.
  struct Granted {
    std::string key;  ///< the primary's name of it: for serve(), borrow() and close()
    UniqueFd socket;  ///< bound, perhaps not listening; empty: connections are handed over
    std::optional<Address> sockname{};  ///< where it is, when the primary says so
    std::string data = "null";          ///< JSON: what the first worker gave (TLS ticket keys)
  };

  explicit PrimaryLink(Handlers handlers);
  ~PrimaryLink() { *self_ = nullptr; }
  PrimaryLink(const PrimaryLink&) = delete;
  PrimaryLink& operator=(const PrimaryLink&) = delete;

  void online();
  /// Asks for a server; `query`'s act and seq are set here, its index as well: equal ones of one
  /// process are told apart by their count, which begins anew when all of them are closed.
  /// @returns the query as it was sent, for listening() and forget()
  /// @errors of sending: `granted` is never called then
  /// @param granted  with the primary's refusal (errno; "bind EADDRINUSE 127.0.0.1:80") or what it
  ///                 grants; not called after forget()
  Result<ipc::ClusterMessage> query(ipc::ClusterMessage query,
                                    std::function<void(Result<Granted>)> granted);
  /// Nobody waits for this query's answer any more; what it grants is given back.
  void forget(const ipc::ClusterMessage& query);
  /// The answered query, with the real port, is listened on.
  void listening(ipc::ClusterMessage query);
  /// Connections for `key`: `take` says whether this worker takes one. Until then they are refused.
  void serve(const std::string& key, std::function<bool(UniqueFd)> take);
  /// Sockets of slots whose worker is away, which `key`'s server accepts from as well until `ended`
  /// (acts 'lend' and 'unlend' of a primary of ours). Before borrow() they are closed.
  void borrow(const std::string& key, std::function<void(std::uint32_t slot, UniqueFd)> lent,
              std::function<void(std::uint32_t slot)> ended);
  /// The server of `key` is closed: the primary sends nothing for it any more, and what is under
  /// way is refused.
  void close(const std::string& key);
  /// "I leave on my own account"; `acknowledged` once the primary has said that it knows.
  void exited_after_disconnect(std::function<void()> acknowledged);

  /// From the channel's on_internal. @returns whether it was a cluster message; its handle is taken
  /// then
  bool take(const Json& message, ipc::ReceivedHandle& handle);

 private:
  struct Asked {
    ipc::ClusterMessage query{};                   // empty act: no query
    std::function<void(Result<Granted>)> granted;  // empty: forgotten
    std::function<void()> acknowledged;
  };
  struct Server {
    std::string name;  // of its indexes
    std::function<bool(UniqueFd)> take;
    std::function<void(std::uint32_t, UniqueFd)> lent;
    std::function<void(std::uint32_t)> lending_ended;
  };
  struct Indexes {
    std::int64_t next = 0;
    std::int64_t open = 0;
  };

  void on_reply(const ipc::ClusterMessage& reply, UniqueFd socket);
  bool take_lending(const Json& json, ipc::ReceivedHandle& handle);
  void on_new_connection(const ipc::ClusterMessage& message, UniqueFd connection);
  void release_index(const std::string& name);
  void send(const ipc::InternalMessage& message);

  Handlers handlers_;
  std::int64_t next_seq_ = 0;
  std::map<std::int64_t, Asked> asked_;     // by seq
  std::map<std::string, Server> servers_;   // by key
  std::map<std::string, Indexes> indexes_;  // by address, port, type and descriptor
  std::shared_ptr<PrimaryLink*> self_;      // empty once we are gone
};

}  // namespace pronghorn::worker

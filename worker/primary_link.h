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
#include <string>

namespace pronghorn::worker {

using Json = nlohmann::json;

class PrimaryLink {
 public:
  struct Handlers {
    std::function<Result<bool>(const ipc::InternalMessage&)> send;
    /// The primary asks us to leave (act 'disconnect').
    std::function<void()> on_disconnect_asked;
  };
  /// What the primary answered to a query.
  struct Granted {
    std::string key;  ///< the primary's name of it: for serve() and close()
    UniqueFd socket;  ///< bound, perhaps not listening; empty: connections are handed over
    std::optional<Address> sockname{};  ///< where it is, when the primary says so
    std::string data = "null";          ///< JSON: what the first worker gave (TLS ticket keys)
  };

  explicit PrimaryLink(Handlers handlers);

  void online();
  /// Asks for a server; `query`'s act and seq are set here, its index as well: equal ones of one
  /// process are told apart by their count.
  /// @returns the query as it was sent, for listening()  @param granted  with the primary's refusal
  ///          (errno; "bind EADDRINUSE 127.0.0.1:80") or what it grants; not called after forget()
  ipc::ClusterMessage query(ipc::ClusterMessage query,
                            std::function<void(Result<Granted>)> granted);
  /// Nobody waits for this query's answer any more; what it grants is given back.
  void forget(const ipc::ClusterMessage& query);
  /// The answered query, with the real port, is listened on.
  void listening(ipc::ClusterMessage query);
  /// Connections for `key`: `take` says whether this worker takes one.
  void serve(const std::string& key, std::function<bool(UniqueFd)> take);
  /// The server of `key` is closed: the primary sends nothing for it any more.
  void close(const std::string& key);
  /// "I leave on my own account"; `acknowledged` once the primary has said that it knows.
  void exited_after_disconnect(std::function<void()> acknowledged);

  /// From the channel's on_internal. @returns whether it was a cluster message
  bool take(const Json& message, ipc::ReceivedHandle& handle);

 private:
  void on_reply(const ipc::ClusterMessage& reply, ipc::ReceivedHandle& handle);
  void on_new_connection(const ipc::ClusterMessage& message, UniqueFd connection);
  void send(const ipc::InternalMessage& message);

  Handlers handlers_;
  std::int64_t next_seq_ = 0;
  std::map<std::int64_t, std::function<void(const ipc::ClusterMessage&, ipc::ReceivedHandle&)>>
      asked_;                                                     // by seq
  std::map<std::string, std::function<bool(UniqueFd)>> servers_;  // by key
  std::map<std::string, std::int64_t> indexes_;                   // the next of each address
};

}  // namespace pronghorn::worker

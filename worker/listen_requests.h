// SPDX-License-Identifier: Apache-2.0
// A worker's half of "listen asks the primary": the queryServer messages of its listeners and what
// came back, as Node's cluster child does (node-ipc: 3.4). Pure: the Worker sends and receives.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>

#include "ipc/cluster_messages.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pronghorn::worker {

class ListenRequests {
 public:
  explicit ListenRequests(const std::vector<config::ListenAddress>& addresses,
                          std::int64_t backlog);

  /// The queries in order; `next_seq` counts this process's messages and is moved on.
  std::vector<ipc::ClusterMessage> queries(std::int64_t& next_seq);
  /// Takes a reply; `has_handle` says whether a descriptor came with it.
  /// @returns the query it answers, to be turned into a `listening` message
  /// @errors the primary's refusal, as "cannot listen on 127.0.0.1:80: permission denied"; a
  /// round-robin
  ///         reply (no descriptor); a reply that nobody asked for
  Result<ipc::ClusterMessage> take_reply(const ipc::ClusterMessage& reply, bool has_handle);
  bool all_answered() const noexcept { return answered_ == requests_.size(); }

 private:
  struct Request {
    ipc::ClusterMessage query;
    std::string text;
    bool answered = false;
  };
  std::vector<Request> requests_;
  std::size_t answered_ = 0;
};

}  // namespace pronghorn::worker

// SPDX-License-Identifier: Apache-2.0
#include "worker/listen_requests.h"

#include <algorithm>

namespace pronghorn::worker {

ListenRequests::ListenRequests(const std::vector<config::ListenAddress>& addresses,
                               std::int64_t backlog) {
  for (const auto& address : addresses) {
    ipc::ClusterMessage query;
    query.act = "queryServer";
    query.backlog = backlog;
    if (address.is_unix()) {
      query.address = address.path;
      query.port = -1;
      query.address_type = AddressType::unix_socket;
    } else {
      query.address = address.host;
      query.port = address.port;
      query.address_type = address.host.contains(':') ? AddressType::ipv6 : AddressType::ipv4;
    }
    // Equal listeners of one worker are told apart by their count (Node: "index").
    query.index = std::ranges::count_if(requests_, [&](const Request& r) {
      return r.query.address == query.address && r.query.port == query.port;
    });
    requests_.push_back({std::move(query), address.text()});
  }
}

std::vector<ipc::ClusterMessage> ListenRequests::queries(std::int64_t& next_seq) {
  std::vector<ipc::ClusterMessage> out;
  for (auto& request : requests_) {
    request.query.seq = next_seq++;
    out.push_back(request.query);
  }
  return out;
}

Result<ipc::ClusterMessage> ListenRequests::take_reply(const ipc::ClusterMessage& reply,
                                                       bool has_handle) {
  auto request = std::ranges::find_if(requests_, [&](const Request& r) {
    return reply.ack && r.query.seq == reply.ack && !r.answered;
  });
  if (request == requests_.end())
    return std::unexpected(Error("the primary answered what was not asked"));
  std::string what = "cannot listen on " + request->text;
  if (reply.error != 0) return std::unexpected(Error::system(static_cast<int>(-reply.error), what));
  if (!has_handle) {
    return std::unexpected(
        Error(what + ": the primary schedules round robin, which needs SCHED_NONE here"));
  }
  request->answered = true;
  ++answered_;
  ipc::ClusterMessage listening = request->query;
  listening.act = "listening";
  listening.seq.reset();
  return listening;
}

}  // namespace pronghorn::worker

// SPDX-License-Identifier: Apache-2.0
#include "worker/primary_link.h"

#include "server/listen_error.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace pronghorn::worker {
namespace {

std::string index_name(const ipc::ClusterMessage& query) {
  return fmt::format("{}:{}:{}:{}", query.address.value_or(""), query.port.value_or(-1),
                     static_cast<int>(query.address_type), query.fd.value_or(-1));
}

config::ListenAddress asked_address(const ipc::ClusterMessage& query) {
  config::ListenAddress address;
  if (query.address_type == AddressType::unix_socket) {
    address.path = query.address.value_or("");
  } else {
    address.host = query.address.value_or("");
    address.port = static_cast<std::uint16_t>(query.port.value_or(0));
  }
  return address;
}

}  // namespace

PrimaryLink::PrimaryLink(Handlers handlers)
    : handlers_(std::move(handlers)), self_(std::make_shared<PrimaryLink*>(this)) {}

void PrimaryLink::send(const ipc::InternalMessage& message) {
  // A channel that has ended reports itself.
  static_cast<void>(handlers_.send(message));
}

void PrimaryLink::online() { send(ipc::encode_online(next_seq_++)); }

Result<ipc::ClusterMessage> PrimaryLink::query(ipc::ClusterMessage query,
                                               std::function<void(Result<Granted>)> granted) {
  const std::string name = index_name(query);
  Indexes& indexes = indexes_[name];
  query.act = "queryServer";
  query.seq = next_seq_++;
  query.index = indexes.next++;
  ++indexes.open;
  if (auto sent = handlers_.send(ipc::encode_query_server(query)); !sent) {
    release_index(name);
    return std::unexpected(std::move(sent.error()));
  }
  asked_[*query.seq] = {.query = query, .granted = std::move(granted), .acknowledged = {}};
  return query;
}

void PrimaryLink::forget(const ipc::ClusterMessage& query) {
  auto asked = asked_.find(query.seq.value_or(-1));
  if (asked != asked_.end()) asked->second.granted = nullptr;
}

void PrimaryLink::listening(ipc::ClusterMessage query) {
  query.act = "listening";
  query.seq = next_seq_++;
  send(ipc::encode_listening(query));
}

void PrimaryLink::serve(const std::string& key, std::function<bool(UniqueFd)> take) {
  servers_[key].take = std::move(take);
}

void PrimaryLink::borrow(const std::string& key, std::function<void(std::uint32_t, UniqueFd)> lent,
                         std::function<void(std::uint32_t)> ended) {
  servers_[key].lent = std::move(lent);
  servers_[key].lending_ended = std::move(ended);
}

void PrimaryLink::close(const std::string& key) {
  auto server = servers_.extract(key);
  if (server.empty()) return;
  release_index(server.mapped().name);
  send(ipc::encode_close(key, next_seq_++));
}

/// Node counts anew when the last of equal servers is closed.
void PrimaryLink::release_index(const std::string& name) {
  auto indexes = indexes_.find(name);
  if (indexes != indexes_.end() && --indexes->second.open == 0) indexes_.erase(indexes);
}

void PrimaryLink::exited_after_disconnect(std::function<void()> acknowledged) {
  const std::int64_t seq = next_seq_++;
  asked_[seq].acknowledged = std::move(acknowledged);
  send(ipc::encode_exited_after_disconnect(seq));
}

bool PrimaryLink::take(const Json& json, ipc::ReceivedHandle& handle) {
  auto message = ipc::decode_cluster_message(json);
  if (!message) return take_lending(json, handle);
  UniqueFd socket = std::move(handle.fd);
  if (message->ack) {
    on_reply(*message, std::move(socket));
  } else if (message->act == "newconn") {
    on_new_connection(*message, std::move(socket));
  } else if (message->act == "disconnect" && handlers_.on_disconnect_asked) {
    handlers_.on_disconnect_asked();
  }
  return true;
}

bool PrimaryLink::take_lending(const Json& json, ipc::ReceivedHandle& handle) {
  auto message = ipc::decode_pronghorn(json);
  if (!message || (message->act != "lend" && message->act != "unlend")) return false;
  UniqueFd socket = std::move(handle.fd);
  auto server = servers_.find(message->key);
  if (server == servers_.end() || !message->slot) return true;
  // Copies: what is called may close its server.
  if (message->act == "unlend") {
    if (auto ended = server->second.lending_ended) ended(*message->slot);
  } else if (auto lent = server->second.lent; lent && socket) {
    lent(*message->slot, std::move(socket));
  }
  return true;
}

void PrimaryLink::on_reply(const ipc::ClusterMessage& reply, UniqueFd socket) {
  auto found = asked_.extract(*reply.ack);
  if (found.empty()) return;
  Asked& asked = found.mapped();
  if (asked.query.act.empty()) {
    if (asked.acknowledged) asked.acknowledged();
    return;
  }
  const std::string name = index_name(asked.query);
  if (reply.error != 0) {
    release_index(name);
    if (!asked.granted) return;
    return asked.granted(std::unexpected(server::refused_by_primary(
        std::abs(static_cast<int>(reply.error)), asked_address(asked.query))));
  }
  servers_[reply.key].name = name;
  if (!asked.granted) return close(reply.key);
  asked.granted(Granted{.key = reply.key,
                        .socket = std::move(socket),
                        .sockname = reply.sockname,
                        .data = reply.data});
}

/// One that is refused, or whose key is closed, goes to another worker: the primary keeps it until
/// it has our answer.
void PrimaryLink::on_new_connection(const ipc::ClusterMessage& message, UniqueFd connection) {
  auto server = servers_.find(message.key);
  bool accepted = false;
  if (connection && server != servers_.end() && server->second.take) {
    auto self = self_;
    auto take = server->second.take;  // a copy: it may close its server
    accepted = take(std::move(connection));
    if (*self == nullptr) return;
  }
  connection.reset();
  if (message.seq) send(ipc::encode_accepted(*message.seq, accepted, next_seq_++));
}

}  // namespace pronghorn::worker

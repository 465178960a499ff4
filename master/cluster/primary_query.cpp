// SPDX-License-Identifier: Apache-2.0
// How a worker gets a server: which one it means, who opens it, by which strategy, and the reply.
#include <pronghorn/base/log.h>

#include "master/cluster/primary_impl.h"
#include "master/cluster/reuseport_handle.h"
#include "master/cluster/shared_handle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pronghorn::master {
namespace {

/// Of a query's data, as JSON. Node's TLS servers send the 96 hexadecimal digits of their ticket
/// keys.
constexpr std::size_t kLongestData = 4096;

}  // namespace

void Primary::Impl::query(Member& member, const ipc::ClusterMessage& query) {
  if (!query.seq || member.is_leaving()) return;
  // Kept for as long as the server is.
  if (query.data.size() > kLongestData) return refuse(member, query, EMSGSIZE);
  Server* server = find(query);
  const bool is_new = server == nullptr;
  if (is_new) {
    auto opened = open(query);
    if (!opened) return refuse(member, query, opened.error());
    server = *opened;
  }
  // One key, one server of a worker: Node's worker asserts it.
  if (server->members.contains(member.id())) return refuse(member, query, EADDRINUSE);
  int error = grant(member, *server, query);
  if (error == 0) return;
  // Closed, so that others may try again.
  if (is_new) erase(*server);
  if (error > 0) refuse(member, query, error);
}

// An adopted listener, the index-th that matches; or what the same question has opened.
Primary::Impl::Server* Primary::Impl::find(const ipc::ClusterMessage& query) const {
  auto skip = query.index;
  for (const auto& server : servers) {
    if (server->adopted != nullptr && server->adopted->matches(query) && skip-- == 0) {
      return server.get();
    }
  }
  const std::string key = server_key(query);
  for (const auto& server : servers) {
    if (server->adopted == nullptr && server->key == key) return server.get();
  }
  return nullptr;
}

std::expected<Primary::Impl::Server*, int> Primary::Impl::open(const ipc::ClusterMessage& query) {
  auto opened =
      std::ranges::count(servers, nullptr, [](const auto& each) { return each->adopted; });
  if (static_cast<std::size_t>(opened) >= options.max_servers) {
    // The one that has stood longest without a worker: of a life that had other addresses.
    auto orphan = std::ranges::find_if(servers, [](const auto& each) {
      return each->adopted == nullptr && each->members.empty();
    });
    if (orphan == servers.end()) return std::unexpected(EMFILE);
    erase(**orphan);
  }
  const bool is_by_number = query.fd && *query.fd >= 0;
  if (is_by_number && options.lends && !options.lends(*query.fd)) return std::unexpected(EBADF);
  auto sockets = open_server(query);
  if (!sockets) return std::unexpected(sockets.error());
  auto server = std::make_unique<Server>();
  server->key = server_key(query);
  server->own = std::move(*sockets);
  if (!server->own.listener) {
    server->handle = std::make_unique<SharedHandle>(server->own.datagram.get());
  } else {
    auto handle = make_handle(*server->own.listener, server->key, !server->own.is_borrowed);
    if (!handle) {
      int error = handle.error().errno_value();
      return std::unexpected(error != 0 ? error : EIO);
    }
    server->handle = std::move(*handle);
  }
  return servers.emplace_back(std::move(server)).get();
}

Result<std::unique_ptr<ServerHandle>> Primary::Impl::make_handle(const Listener& listener,
                                                                 const std::string& key,
                                                                 bool is_ours) {
  const bool counts = options.scheduling == Scheduling::least_connections;
  // SO_REUSEPORT is TCP's, and no option to set on a socket that others may use.
  const bool has_many =
      options.scheduling == Scheduling::reuseport && is_ours && !listener.address().is_unix();
  if ((counts || has_many) && options.board == nullptr) {
    return std::unexpected(Error::system(ENOTSUP, scheduling_name(options.scheduling)));
  }
  if (has_many) {
    return std::make_unique<ReuseportHandle>(loop, listener, options.board->size(), key);
  }
  if (!hands_over(options.scheduling)) return std::make_unique<SharedHandle>(listener.fd());
  auto picker = counts ? make_least_connections() : make_round_robin();
  if (options.sticky) picker = make_sticky(std::move(picker));
  return HandOver::open(loop, {.listener = listener.fd(),
                               .key = key,
                               .picker = std::move(picker),
                               .max_waiting = options.max_waiting,
                               .board = options.board,
                               .totals = &totals});
}

// @returns 0; the errno to refuse with; or -1 when the worker cannot be told anything
int Primary::Impl::grant(Member& member, Server& server, const ipc::ClusterMessage& query) {
  if (server.data == "null") server.data = query.data;
  const auto join = server.handle->join(member);
  if (join.error != 0) return join.error;
  ipc::ClusterMessage reply{
      .seq = member.take_seq(), .ack = query.seq, .key = server.key, .data = server.data};
  Result<bool> sent = true;
  if (join.fd >= 0) {
    auto socket = server.listener() == nullptr ? ipc::Handle::native_udp(join.fd)
                                               : ipc::Handle::native(join.fd);
    socket.on_lost = [this, alive = std::weak_ptr(events), id = member.id(), query] {
      if (!alive.expired()) lost(id, query);
    };
    sent = member.send(ipc::encode_shared_reply(reply), &socket);
  } else {
    reply.sockname = socket_name(*server.listener());
    sent = member.send(ipc::encode_handing_reply(reply));
  }
  if (!sent) {
    server.handle->leave(member, false);
    // Our lack of descriptors, which the worker may hear; other errors are its channel's.
    return sent.error().errno_value() == EMFILE ? EMFILE : -1;
  }
  server.members.insert(member.id());
  server.handle->joined(member);
  return 0;
}

// The worker was out of descriptors, and would wait for its answer for ever.
void Primary::Impl::lost(Id id, const ipc::ClusterMessage& query) {
  auto member = members.find(id);
  Server* server = find(query);
  if (member == members.end() || server == nullptr || !server->members.contains(id)) return;
  close(*member->second, server->key);
  refuse(*member->second, query, EMFILE);
}

void Primary::Impl::refuse(Member& member, const ipc::ClusterMessage& query, int error) {
  const std::string key = server_key(query);
  if (error == ENOTSUP) {
    auto name = scheduling_name(options.scheduling);
    log::warn(
        "server refused", {{"worker", member.id()}, {"server", key}, {"scheduling", name}},
        fmt::format("worker {} may not listen on {}: {} needs workers that have a slot in the "
                    "scoreboard, which programs of others have not",
                    member.id(), key, name));
  }
  // Unsent: the worker is gone.
  static_cast<void>(
      member.send(ipc::encode_error_reply(*query.seq, key, -error, member.take_seq())));
}

}  // namespace pronghorn::master

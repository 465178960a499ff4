// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/primary_impl.h"

#include <algorithm>
#include <utility>

namespace pronghorn::master {
namespace {

Address told_address(const ipc::ClusterMessage& listening) {
  Address out;
  out.address = listening.address.value_or("");
  auto port = listening.port.value_or(0);
  out.port = port > 0 && port <= UINT16_MAX ? static_cast<std::uint16_t>(port) : 0;
  out.type = listening.address_type;
  if (out.type == AddressType::descriptor && listening.fd) out.fd = static_cast<int>(*listening.fd);
  return out;
}

}  // namespace

Primary::Impl::Impl(Loop& event_loop, Options values, Events handlers)
    : loop(event_loop),
      options(std::move(values)),
      events(std::make_shared<const Events>(std::move(handlers))) {}

Primary::Primary(Loop& loop, Options options, Events events)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(events))) {}
Primary::~Primary() = default;

void Primary::set_scheduling(Scheduling scheduling, bool sticky) noexcept {
  impl_->options.scheduling = scheduling;
  impl_->options.sticky = sticky;
}

Result<void> Primary::adopt(Listener& listener) {
  auto server = std::make_unique<Impl::Server>();
  ipc::ClusterMessage name;
  if (auto address = socket_name(listener)) {
    name.address = address->address;
    name.port = address->port;
    name.address_type = address->type;
  } else {
    name.address = listener.address().path;
    name.port = -1;
    name.address_type = AddressType::unix_socket;
  }
  server->key = server_key(name);
  server->adopted = &listener;
  auto handle = impl_->make_handle(listener, server->key, true);
  if (!handle) return std::unexpected(std::move(handle).error());
  server->handle = std::move(*handle);
  impl_->servers.push_back(std::move(server));
  return {};
}

void Primary::add(Id id, std::optional<std::uint32_t> slot, Member::Send send) {
  remove(id);
  impl_->members.emplace(id, std::make_unique<Member>(id, slot, impl_->next_seq, std::move(send)));
}

bool Primary::take(Id id, const Json& json) {
  auto message = ipc::decode_cluster_message(json);
  if (!message) return false;
  auto found = impl_->members.find(id);
  if (found == impl_->members.end()) return true;
  Member& member = *found->second;
  // An event is the last thing that happens here: it may remove the member, or all of us.
  const auto events = impl_->events;
  if (message->ack) {
    member.take_reply(*message);
  } else if (message->act == "queryServer") {
    impl_->query(member, *message);
  } else if (message->act == "close") {
    impl_->close(member, message->key);
  } else if (message->act == "online") {
    if (events->on_online) events->on_online(id);
  } else if (message->act == "listening") {
    if (events->on_listening) events->on_listening(id, told_address(*message));
  } else if (message->act == "exitedAfterDisconnect" && message->seq) {
    bool is_new = impl_->let_leave(member, *message->seq);
    if (is_new && events->on_leaving) events->on_leaving(id);
  }
  return true;
}

Result<bool> Primary::disconnect(Id id) {
  auto found = impl_->members.find(id);
  if (found == impl_->members.end()) {
    return std::unexpected(Error(Errc::ipc_channel_closed, "the worker is gone"));
  }
  Member& member = *found->second;
  // A Node worker that is told twice disconnects twice, which is an error there.
  if (member.is_leaving()) return true;
  member.set_leaving();
  auto sent = member.send(ipc::encode_disconnect(member.take_seq()));
  impl_->leave_all(member);
  return sent;
}

void Primary::remove(Id id) {
  auto found = impl_->members.find(id);
  if (found == impl_->members.end()) return;
  for (auto& server : impl_->servers) {
    server->members.erase(id);
    // One that left before may still owe an answer.
    server->handle->leave(*found->second, true);
  }
  impl_->members.erase(found);
}

void Primary::set_suspect(Id id, bool suspect) {
  auto found = impl_->members.find(id);
  if (found == impl_->members.end() || found->second->is_suspect() == suspect) return;
  found->second->set_suspect(suspect);
  for (auto& server : impl_->servers) {
    if (server->members.contains(id)) server->handle->suspicion_changed(*found->second);
  }
}

void Primary::refuse_new() {
  for (auto& server : impl_->servers) {
    auto& own = server->own;
    // A filter would stay on a descriptor that the service manager keeps.
    if (own.listener && !own.is_borrowed) own.listener->refuse_new();
    server->handle->refuse_new();
  }
}

void Primary::drain(std::function<void()> done) {
  auto drain = std::make_shared<Impl::Drain>();
  drain->left = impl_->servers.size() + 1;
  drain->done = std::move(done);
  impl_->draining = drain;
  for (auto& server : impl_->servers) {
    server->draining = drain;
    server->handle->drain([impl = impl_.get(), each = server.get()] { impl->drained(*each); });
  }
  if (--drain->left == 0) drain->done();
}

void Primary::close_servers() {
  auto closed = std::exchange(impl_->servers, {});
  for (auto& server : closed) impl_->drained(*server);
}

Primary::Totals Primary::totals() const noexcept {
  const auto& counted = impl_->totals;
  Totals out{.handed_over = counted.handed_over,
             .refused = counted.refused,
             .recovered = counted.recovered,
             .given_up = counted.given_up};
  for (const auto& server : impl_->servers) out.waiting += server->handle->waiting();
  return out;
}

// Never calls at once: it is told from within anything that a server does.
void Primary::Impl::drained(Server& server) {
  auto drain = std::exchange(server.draining, nullptr);
  if (!drain || --drain->left != 0) return;
  loop.soon([waiting = std::weak_ptr(drain)] {
    if (auto still = waiting.lock()) still->done();
  });
}

bool Primary::Impl::let_leave(Member& member, std::int64_t seq) {
  // Without this answer a Node worker never disconnects (node-ipc 3.4). Unsent: it is gone.
  static_cast<void>(member.send(ipc::encode_ack(seq, member.take_seq())));
  if (member.is_leaving()) return false;
  member.set_leaving();
  leave_all(member);
  return true;
}

void Primary::Impl::leave_all(Member& member) {
  for (auto& server : servers) {
    if (server->members.erase(member.id()) > 0) server->handle->leave(member, false);
  }
}

// A server goes with the last worker that closes it, as in Node; with workers that die or are told
// to leave it does not, and queues.
void Primary::Impl::close(Member& member, const std::string& key) {
  auto found = std::ranges::find_if(servers, [&](const auto& server) {
    return server->key == key && server->members.contains(member.id());
  });
  if (found == servers.end()) return;
  Server& server = **found;
  server.members.erase(member.id());
  server.handle->leave(member, false);
  if (server.adopted == nullptr && server.members.empty()) erase(server);
}

void Primary::Impl::erase(Server& server) {
  drained(server);
  std::erase_if(servers, [&server](const auto& each) { return each.get() == &server; });
}

}  // namespace pronghorn::master

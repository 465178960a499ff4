// SPDX-License-Identifier: Apache-2.0
#include "server/client_limits.h"

#include <pronghorn/base/clock.h>
#include <pronghorn/server/response.h>

#include "base/log.h"
#include "server/access_log.h"
#include "server/date.h"
#include "server/request_id.h"
#include "server/serializer.h"

#include <algorithm>
#include <ctime>
#include <string>

namespace pronghorn::server {
namespace {

constexpr std::int64_t kSayEveryMs = 60'000;

}  // namespace

void ClientLimits::share(ClientTable* table, std::uint32_t slot) noexcept {
  table_ = table;
  slot_ = slot;
}

Result<void> ClientLimits::prepare(std::uint64_t clients) {
  if (table_ != nullptr) return {};
  auto made = ClientTable::create_private(static_cast<std::uint32_t>(clients));
  if (!made) return std::unexpected(std::move(made.error()));
  own_.emplace(std::move(*made));
  table_ = &*own_;
  return {};
}

ClientKey ClientLimits::key(const sockaddr_storage& address,
                            std::uint64_t ipv6_prefix) const noexcept {
  if (table_ == nullptr) return 0;
  return table_->key(address, static_cast<unsigned>(ipv6_prefix));
}

ClientLimits::Admission ClientLimits::admit(ClientKey client, std::uint64_t most) noexcept {
  if (client == 0 || most == 0) return Admission::uncounted;
  switch (table_->connections().enter(
      slot_, client,
      static_cast<std::uint32_t>(std::min<std::uint64_t>(most, ClientCounts::kMost)))) {
    case ClientCounts::Entry::counted:
      return Admission::counted;
    case ClientCounts::Entry::refused:
      return Admission::refused;
    case ClientCounts::Entry::uncounted:
      break;
  }
  return Admission::uncounted;
}

void ClientLimits::leave(ClientKey client) noexcept { table_->connections().leave(slot_, client); }

/// Its request is not read but thrown away: what is unread at close(2) makes the kernel send RST,
/// which can destroy the answer. A client that sends on gets that RST: lingering for it would cost
/// what the limit saves.
void ClientLimits::turn_away(const Refused& client, DateCache& date, std::span<char> scratch,
                             AccessLog* log) noexcept {
  date.refresh(std::time(nullptr));
  std::string answer;
  RequestId id(false);
  Response refusal = Response::error(429).header("Retry-After", "1");
  if (client.answers_id) refusal.header(std::string(RequestId::kField), std::string(id.get({})));
  const auto body = serialize(
      refusal, {.date = date.text(), .connection = "close", .request_id = id.get({})}, answer);
  static_cast<void>(::recv(client.socket, scratch.data(), scratch.size(), MSG_DONTWAIT));
  const ssize_t result =
      ::send(client.socket, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const auto sent = static_cast<std::uint64_t>(std::max<ssize_t>(result, 0));
  if (log != nullptr) {
    AccessEntry entry;
    entry.client = client.peer;
    entry.answer_head = std::string_view(answer).substr(0, answer.find("\r\n\r\n"));
    entry.request_id = id.get({});
    entry.status = 429;
    entry.body_bytes = body - std::min<std::uint64_t>(body, answer.size() - sent);
    entry.bytes_out = sent;
    entry.port = client.port;
    entry.connection = AccessEntry::Connection::closed;
    log->record(entry);
  }
  ++turned_away_;
  std::int64_t now = monotonic_ms();
  if (said_ms_ != 0 && now - said_ms_ < kSayEveryMs) return;
  said_ms_ = now;
  log::warn("client has too many connections", {{"client", client.peer}, {"refused", turned_away_}},
            "a client has too many connections (limits.connections_per_client)");
}

}  // namespace pronghorn::server

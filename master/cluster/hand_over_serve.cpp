// SPDX-License-Identifier: Apache-2.0
// Who gets what: connections that wait are matched with workers that are free.
#include <pronghorn/base/error_code.h>

#include "ipc/cluster_messages.h"
#include "ipc/handle.h"
#include "master/cluster/hand_over_impl.h"
#include "master/cluster/in_flight.h"

#include <algorithm>
#include <utility>

namespace pronghorn::master {
namespace {

/// How long a connection may wait for an answer of the one worker that should have it
/// (least_connections): a healthy one takes far less.
constexpr Millis kPatience{20};
/// A hand-off that failed on our side (no memory, no descriptor, the worker's queue is full).
constexpr Millis kRetry{100};

}  // namespace

bool HandOver::Impl::gets_more(const Seat& seat) const noexcept {
  return seat.is_member && !seat.is_cut_off && !seat.member->is_leaving() &&
         !seat.member->is_suspect() && !is_silent(seat);
}

bool HandOver::Impl::is_silent(const Seat& seat) const noexcept {
  return seat.in_hand && seat.patience == Patience::ended && options.picker->is_client_bound() &&
         loop.now_ms() >= seat.since_ms + options.silence.count();
}

bool HandOver::Impl::is_free(const Seat& seat) const noexcept {
  return gets_more(seat) && !seat.in_hand && loop.now_ms() >= seat.rests_till_ms;
}

bool HandOver::Impl::is_anyone_free() const noexcept {
  return std::ranges::any_of(seats, [this](const Seat& seat) { return is_free(seat); });
}

void HandOver::Impl::list_candidates() {
  candidates.clear();
  for (const Seat& seat : seats) {
    if (!gets_more(seat)) continue;
    Picker::Candidate candidate{.id = seat.member->id(), .is_free = is_free(seat)};
    candidate.is_due = seat.in_hand && seat.patience != Patience::ended;
    if (options.picker->counts_connections()) {
      // A worker counts a connection before it answers; and what is on its way from other servers
      // will be its own, too.
      const auto& counters = options.board->slot(*seat.member->slot()).counters;
      candidate.connections = counters.connections.get() + seat.member->unanswered();
    }
    candidates.push_back(candidate);
  }
}

bool HandOver::Impl::place_one() {
  if (closed || waiting.empty() || !is_anyone_free()) return false;
  list_candidates();
  const std::size_t placeable = options.picker->is_client_bound() ? waiting.size() : 1;
  for (std::size_t i = 0; i < placeable; ++i) {
    auto id = options.picker->pick(candidates, waiting[i].client);
    if (!id) continue;
    Connection connection = std::move(waiting[i]);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    hand(*find(*id), std::move(connection));
    return true;
  }
  return false;
}

// After ask() nothing is as it was: sending may have removed the worker, or all of this.
void HandOver::Impl::hand(Seat& seat, Connection connection) {
  if (is_unix) connection.unread_before = unread_bytes(connection.socket->get());
  Member& member = *seat.member;
  const Id id = member.id();
  const std::int64_t seq = member.take_seq();
  auto handle = ipc::Handle::native(connection.socket);
  handle.on_lost = [weak = weak_from_this(), id, seq] {
    if (auto self = weak.lock()) self->on_lost(id, seq);
  };
  seat.in_hand = std::move(connection);
  seat.seq = seq;
  seat.since_ms = loop.now_ms();
  seat.patience = Patience::waits;
  auto sent = member.ask(seq, ipc::encode_new_connection(options.key, seq), &handle,
                         [weak = weak_from_this(), id, seq](const ipc::ClusterMessage& reply) {
                           auto self = weak.lock();
                           if (self) self->on_reply(id, seq, reply.accepted.value_or(false));
                         });
  if (!sent) hand_failed(id, seq, sent.error());
}

void HandOver::Impl::hand_failed(Id id, std::int64_t seq, const Error& error) {
  Seat* seat = find(id);
  if (seat == nullptr || !seat->in_hand || seat->seq != seq) return;
  waiting.push_front(std::move(*std::exchange(seat->in_hand, std::nullopt)));
  if (error.code() == Errc::ipc_channel_closed) {
    seat->is_cut_off = true;
  } else {
    seat->rests_till_ms = loop.now_ms() + kRetry.count();
  }
  if (!seat->is_member) seats.erase(seats.begin() + (seat - seats.data()));
}

void HandOver::Impl::serve() {
  if (closed || std::exchange(serving, true)) {
    again = true;
    return;
  }
  auto self = shared_from_this();
  do {
    again = false;
    while (place_one()) {
    }
    accept_some();
  } while (again && !closed);
  serving = false;
  if (closed) return;
  watch();
  wait_for_next();
  tell_if_drained();
}

void HandOver::Impl::lose_patience() {
  for (Seat& seat : seats) {
    if (!seat.in_hand || loop.now_ms() < seat.since_ms + kPatience.count()) continue;
    seat.patience = seat.patience == Patience::waits ? Patience::last_look : Patience::ended;
  }
}

void HandOver::Impl::wait_for_next() {
  const std::int64_t now = loop.now_ms();
  const bool is_bound = options.picker->is_client_bound();
  const bool waits_for_one = !waiting.empty() && (is_bound || options.picker->counts_connections());
  std::int64_t next = INT64_MAX;
  auto consider = [&](std::int64_t at) {
    if (at > now) next = std::min(next, at);
  };
  if (!broken) consider(rests_till_ms);
  for (const Seat& seat : seats) {
    if (!gets_more(seat)) continue;
    consider(seat.rests_till_ms);
    if (!seat.in_hand || !waits_for_one) continue;
    if (seat.patience != Patience::ended) {
      consider(std::max(seat.since_ms + kPatience.count(), now + 1));
    } else if (is_bound) {
      consider(seat.since_ms + options.silence.count());
    }
  }
  next == INT64_MAX ? timer.stop() : timer.start(Millis(next - now));
}

void HandOver::Impl::tell_if_drained() {
  if (!drained) return;
  const bool is_done = waiting.empty() && (!has_queue || broken || is_drained_enough());
  if (in_hand() > 0 || (!is_done && members() > 0)) return;
  auto done = std::exchange(drained, nullptr);
  done();
}

}  // namespace pronghorn::master

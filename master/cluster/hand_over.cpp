// SPDX-License-Identifier: Apache-2.0
// The members of a HandOver, what they answer, and what becomes of what they had in hand.
#include "master/cluster/hand_over.h"

#include <pronghorn/base/log.h>

#include "master/cluster/hand_over_impl.h"
#include "master/cluster/in_flight.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace pronghorn::master {
namespace {

// A worker that has refused is asked again after the first of these, then after twice as long each
// time: nothing tells when it has room.
constexpr Millis kFirstRest{10};
constexpr Millis kLongestRest{250};

bool is_unix_socket(int fd) noexcept {
  int domain = 0;
  socklen_t size = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

}  // namespace

Result<std::unique_ptr<HandOver>> HandOver::open(Loop& loop, Options options) {
  auto impl = std::make_shared<Impl>(loop, std::move(options));
  if (auto watched = impl->watch_listener(); !watched) return std::unexpected(watched.error());
  return std::unique_ptr<HandOver>(new HandOver(std::move(impl)));
}

HandOver::HandOver(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HandOver::~HandOver() { impl_->close(); }

ServerHandle::Join HandOver::join(Member& member) {
  const auto& options = impl_->options;
  const bool has_counters = options.board != nullptr && member.slot();
  return {.error = options.picker->counts_connections() && !has_counters ? ENOTSUP : 0};
}
void HandOver::joined(Member& member) { impl_->joined(member); }
void HandOver::leave(Member& member, bool is_gone) { impl_->leave(member, is_gone); }
void HandOver::suspicion_changed(Member& member) {
  if (impl_->find(member.id()) != nullptr) impl_->serve();
}
std::size_t HandOver::members() const noexcept { return impl_->members(); }
std::size_t HandOver::waiting() const noexcept { return impl_->waiting.size() + impl_->in_hand(); }
void HandOver::drain(std::function<void()> done) { impl_->drain(std::move(done)); }

HandOver::Impl::Impl(Loop& its_loop, Options its_options)
    : loop(its_loop),
      options(std::move(its_options)),
      is_unix(is_unix_socket(options.listener)),
      timer(loop, [this] {
        lose_patience();
        serve();
      }) {}

void HandOver::Impl::close() noexcept {
  closed = true;
  poll.reset();
  timer.stop();
  waiting.clear();
  seats.clear();
  drained = nullptr;
}

HandOver::Impl::Seat* HandOver::Impl::find(Id id) noexcept {
  for (Seat& seat : seats) {
    if (seat.member->id() == id) return &seat;
  }
  return nullptr;
}

std::size_t HandOver::Impl::members() const noexcept {
  return static_cast<std::size_t>(std::ranges::count(seats, true, &Seat::is_member));
}

std::size_t HandOver::Impl::in_hand() const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count_if(seats, [](const Seat& seat) { return seat.in_hand.has_value(); }));
}

void HandOver::Impl::joined(Member& member) {
  if (Seat* seat = find(member.id())) {
    seat->is_member = true;
    seat->is_cut_off = false;
  } else {
    seats.push_back({.member = &member});
  }
  serve();
}

void HandOver::Impl::leave(Member& member, bool is_gone) {
  Seat* seat = find(member.id());
  if (seat == nullptr) return;
  seat->is_member = false;
  auto left = is_gone ? std::exchange(seat->in_hand, std::nullopt) : std::nullopt;
  if (!seat->in_hand) seats.erase(seats.begin() + (seat - seats.data()));
  if (left) recover(std::move(*left));
  serve();
}

void HandOver::Impl::recover(Connection connection) {
  if (has_begun(connection.socket->get(), connection.unread_before)) {
    ++options.totals->given_up;
    log::info("connection given up", {{"key", options.key}},
              "a worker died with a connection that it had begun to serve; it is closed");
    return;
  }
  ++options.totals->recovered;
  waiting.push_front(std::move(connection));
}

void HandOver::Impl::on_reply(Id id, std::int64_t seq, bool accepted) {
  Seat* seat = find(id);
  if (seat == nullptr || !seat->in_hand || seat->seq != seq) return;
  Connection connection = std::move(*std::exchange(seat->in_hand, std::nullopt));
  if (accepted) {
    ++options.totals->handed_over;
    seat->back_off = Millis(0);
  } else {
    ++options.totals->refused;
    seat->back_off = std::clamp(2 * seat->back_off, kFirstRest, kLongestRest);
    seat->rests_till_ms = loop.now_ms() + seat->back_off.count();
    waiting.push_front(std::move(connection));
  }
  if (!seat->is_member) seats.erase(seats.begin() + (seat - seats.data()));
  serve();
}

void HandOver::Impl::on_lost(Id id, std::int64_t seq) {
  Seat* seat = find(id);
  if (seat == nullptr || !seat->in_hand || seat->seq != seq) return;
  ipc::ClusterMessage refusal;
  refusal.ack = seq;
  refusal.accepted = false;
  seat->member->take_reply(refusal);
}

void HandOver::Impl::drain(std::function<void()> done) {
  drained = std::move(done);
  accepted_draining = 0;
  serve();
}

}  // namespace pronghorn::master

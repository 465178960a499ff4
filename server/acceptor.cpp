// SPDX-License-Identifier: Apache-2.0
#include "server/acceptor.h"

#include "base/accept_error.h"
#include "base/log.h"
#include "server/peer.h"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace pronghorn::server {
namespace {

/// While a listener is drained under load its queue may never be seen empty: no more than four of
/// the longest usual queues (somaxconn is 4096) are taken from it.
constexpr int kDrainAtMost = 4 * 4096;

}  // namespace

Result<std::unique_ptr<Acceptor>> Acceptor::open(Loop& loop, UniqueFd listener, Owner& owner,
                                                 std::uint32_t profile) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(loop, std::move(listener), owner, profile));
  auto poll = uv::Poll::open(loop, acceptor->listener_.get(),
                             [self = acceptor.get()](int, int error) { self->on_ready(error); });
  if (!poll) return std::unexpected(poll.error());
  acceptor->poll_.emplace(std::move(*poll));
  return acceptor;
}

Acceptor::Acceptor(Loop& loop, UniqueFd listener, Owner& owner, std::uint32_t profile)
    : listener_(std::move(listener)),
      owner_(owner),
      profile_(profile),
      rest_(loop,
            [this] {
              resting_ = false;
              draining_&& enabled_ ? take_all() : watch();
            }),
      port_(local_port(listener_.get())) {}

void Acceptor::set_enabled(bool on) noexcept {
  bool was = std::exchange(enabled_, on);
  if (draining_ && on && !was && !resting_) {  // the queue may be empty: then no event would come
    resting_ = true;
    rest_.start(Millis(0));
  }
  watch();
}

void Acceptor::drain() {
  if (is_closed()) return;
  draining_ = true;
  if (enabled_ && !resting_) take_all();
}

void Acceptor::watch() noexcept {
  if (poll_) poll_->want(enabled_ && !resting_ ? uv::Poll::kReadable : 0);
}

void Acceptor::on_ready(int error) {
  if (error != 0) {
    log::error("listener failed", {{"error", errno_text(error)}});
    close();
    return;
  }
  take_all();
}

void Acceptor::take_all() {
  auto taken = Taken::one;
  for (int n = 0; n < kPerWakeup || draining_; ++n) {
    if (!owner_.has_room()) break;
    if (draining_ && drained_++ == kDrainAtMost) taken = Taken::none;
    if (n > 0 && !draining_ && !owner_.takes_another()) break;
    if (taken != Taken::none) taken = take_one();
    if (taken == Taken::none || taken == Taken::stop) break;
  }
  if (draining_ && taken == Taken::none) close_empty();
  owner_.on_wakeup_end();
}

// What comes between the last look and the close is reset: nothing that takes time lies between.
void Acceptor::close_empty() {
  poll_.reset();
  while (drained_ <= kDrainAtMost && owner_.has_room() && take_one() == Taken::one) ++drained_;
  close();
}

Acceptor::Taken Acceptor::take_one() {
  sockaddr_storage address;
  address.ss_family = AF_UNSPEC;
  socklen_t length = sizeof address;
  UniqueFd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    owner_.on_accepted(std::move(socket), address, port_, profile_);
    return Taken::one;
  }
  const int error = errno;
  switch (classify_accept_error(error)) {
    case AcceptError::empty:  // another worker was quicker
      return Taken::none;
    case AcceptError::again:
      return Taken::again;
    case AcceptError::broken:
      log::error("listener failed", {{"error", errno_text(error)}});
      close();
      break;
    case AcceptError::exhausted:
      pause(error);
      break;
  }
  return Taken::stop;
}

void Acceptor::pause(int error) {
  if (pauses_++ % 600 == 0) {  // once a minute at most
    log::warn("accept paused", {{"error", errno_text(error)}, {"pauses", pauses_}},
              "no new connections for the moment: " + errno_text(error));
  }
  resting_ = true;
  rest_.start(kPause);
  watch();
  owner_.on_accept_failed();
}

void Acceptor::close() noexcept {
  if (is_closed()) return;
  poll_.reset();
  rest_.stop();
  listener_.reset();
  owner_.on_acceptor_closed();
}

}  // namespace pronghorn::server

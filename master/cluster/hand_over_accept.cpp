// SPDX-License-Identifier: Apache-2.0
// The listener of a HandOver: it is accepted from only while somebody could take a connection; else
// they wait in the kernel's queue, which is bounded, and survives us.
#include <pronghorn/base/log.h>

#include "base/accept_error.h"
#include "master/cluster/client_hash.h"
#include "master/cluster/hand_over_impl.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pronghorn::master {
namespace {

/// How long accepting rests when descriptors or memory ran out.
constexpr Millis kRest{100};
/// A wake-up's, so that one server does not starve the loop.
constexpr int kLargestBurst = 64;
/// Wake-ups that take one, after one that found nobody more.
constexpr int kCalm = 16;
/// Without the filter a drained listener's queue may never be seen empty: no more than four of the
/// longest usual queues (somaxconn is 4096) are taken from it.
constexpr int kDrainAtMost = 4 * 4096;

}  // namespace

Result<void> HandOver::Impl::watch_listener() {
  auto opened = uv::Poll::open(loop, options.listener, [this](int, int error) {
    if (error != 0) {
      log::error("listener failed", {{"error", errno_text(error)}});
      broken = true;
    }
    has_queue = true;
    told_of_queue = true;
    serve();
  });
  if (!opened) return std::unexpected(std::move(opened.error()));
  poll = std::move(*opened);
  return {};
}

bool HandOver::Impl::is_drained_enough() const noexcept {
  return drained && accepted_draining >= kDrainAtMost;
}

bool HandOver::Impl::may_accept() const noexcept {
  if (broken || loop.now_ms() < rests_till_ms) return false;
  if (is_drained_enough()) return false;
  // Whose it is shows only once it is accepted.
  const std::size_t most =
      options.picker->is_client_bound() ? std::max<std::size_t>(options.max_waiting, 1) : 1;
  const bool has_room = waiting.size() < most;
  return has_room && is_anyone_free();
}

// After a wake-up as many as are likely to be there: that spares most of them the last accept(2),
// which finds nobody, and the poll tells of more. Else, when those who were busy are free again,
// until there is none: the poll was off.
void HandOver::Impl::accept_some() {
  if (drained) has_queue = true;
  const bool by_poll = std::exchange(told_of_queue, false) && !drained;
  int taken = 0;
  while (!closed && has_queue && may_accept()) {
    if (!accept_one()) {
      burst = -kCalm;
      return;
    }
    ++taken;
    while (place_one()) {
    }
    if (!by_poll || closed || taken < burst) continue;
    burst = burst < 1 ? burst + 1 : std::min(2 * burst, kLargestBurst);
    break;
  }
  if (by_poll && taken > 0) has_queue = false;
}

// False: has_queue is, or accepting rests.
bool HandOver::Impl::accept_one() {
  sockaddr_storage address;
  address.ss_family = AF_UNSPEC;
  socklen_t size = sizeof address;
  const bool wants_client = options.picker->is_client_bound();
  UniqueFd socket;
  auto error = AcceptError::again;
  while (!socket && error == AcceptError::again) {
    socket.reset(::accept4(options.listener,
                           wants_client ? reinterpret_cast<sockaddr*>(&address) : nullptr,
                           wants_client ? &size : nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) error = classify_accept_error(errno);
  }
  if (socket) {
    if (drained) ++accepted_draining;
    waiting.push_back({std::make_shared<const UniqueFd>(std::move(socket)),
                       wants_client ? client_hash(address) : std::nullopt, std::nullopt});
    return true;
  }
  has_queue = error == AcceptError::exhausted;
  if (error == AcceptError::exhausted) rest(errno);
  if (error == AcceptError::broken) {
    log::error("listener failed", {{"error", errno_text(errno)}});
    broken = true;
  }
  return false;
}

void HandOver::Impl::rest(int error) {
  if (rests++ % 600 == 0) {  // once a minute at most
    log::warn("accept paused", {{"error", errno_text(error)}, {"pauses", rests}},
              "no new connections for the moment: " + errno_text(error));
  }
  rests_till_ms = loop.now_ms() + kRest.count();
}

// What is known to be queued need not be told again: while nobody is free the listener is let
// alone, and tried as soon as somebody is. With nobody free and nothing queued as far as is known
// it stays watched: to stop and go on each time would cost two system calls a connection.
void HandOver::Impl::watch() {
  const bool on = members() > 0 && !broken && !has_queue;
  poll->want(on ? uv::Poll::kReadable : 0);
}

}  // namespace pronghorn::master

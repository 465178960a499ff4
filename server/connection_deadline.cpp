// SPDX-License-Identifier: Apache-2.0
// Deadlines of a connection: one for what is read, one for what is written; the wheel gets the
// earlier.
#include "server/connection.h"
#include "server/deadlines.h"

#include <algorithm>
#include <limits>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace pronghorn::server {
namespace {
/// Once the listeners are closed: a request that was on its way when the client read our last
/// answer still arrives within this.
constexpr std::int64_t kQuietMs = 250;
/// The same for a connection that has not asked anything yet.
constexpr std::int64_t kQuietFirstMs = 1000;
/// How often we look for a client that waits for a handler while nothing is read of it.
constexpr std::int64_t kLookMs = 1000;
/// Far, and still a number to reckon with.
constexpr auto kNever = std::numeric_limits<std::int64_t>::max() / 4;
}  // namespace

void Connection::set_deadline() {
  if (lingering_ || !tcp_) return;
  if (!is_blocked()) {
    window_since_ = 0;
  } else if (window_since_ == 0) {
    begin_write_window();
  }
  const std::int64_t now = context_.loop.now_ms();
  context_.deadlines.set(*this, std::min(write_deadline(now), read_deadline(now)));
}

/// Time that the client has for what we await of it; never while we hold its input back.
std::int64_t Connection::read_deadline(std::int64_t now) {
  const auto& timeouts = context_.timeouts;
  auto requests = session_.requests();
  auto phase = session_.phase();
  std::int64_t since = ms_of(stage_since_, now);
  if (phase != stage_ || static_cast<std::uint16_t>(requests) != stage_request_) {
    bool is_same_request = static_cast<std::uint16_t>(requests) == stage_request_;
    if (stage_ == Session::Phase::body && is_same_request) session_.add_body_wait(now - since);
    stage_ = phase;
    stage_request_ = static_cast<std::uint16_t>(requests);
    since = now;
    stage_since_ = static_cast<std::uint32_t>(now);
  }
  if (!reading_ && is_blocked()) return kNever;
  switch (stage_) {
    case Session::Phase::head:
      return since + timeouts.head.count();  // in all, not from byte to byte
    case Session::Phase::body: {
      std::int64_t quiet = session_.input_ms() + timeouts.body.count();
      auto rate = static_cast<std::int64_t>(context_.limits.body_rate);
      if (rate == 0) return quiet;
      // When what has come would be used up at the least rate that is asked for.
      auto received = static_cast<std::int64_t>(session_.body_received());
      std::int64_t slow = std::max(timeouts.body_rate.count(), received * 1000 / rate);
      return std::min(quiet, since + slow - session_.body_waited_ms());
    }
    case Session::Phase::handling: {
      std::int64_t late = since + session_.handler_timeout(timeouts.handler).count();
      return is_out_of_sight() ? std::min(late, now + kLookMs) : late;
    }
    case Session::Phase::streaming:
      return is_out_of_sight() ? now + kLookMs : kNever;
    case Session::Phase::idle:
    case Session::Phase::answering:
    case Session::Phase::closing:
      break;
  }
  std::int64_t deadline = since + (requests == 0 ? timeouts.head : timeouts.keepalive).count();
  if (!context_.quiet_since_ms) return deadline;
  std::int64_t quiet_since = std::max(since, *context_.quiet_since_ms);
  return std::min(deadline, quiet_since + (requests == 0 ? kQuietFirstMs : kQuietMs));
}

/// A handler answers later, and neither reading nor writing would show that the client has left:
/// its end has been read, or what it sent is held back.
bool Connection::is_out_of_sight() const noexcept {
  return !reading_ && !is_blocked() &&
         (stage_ == Session::Phase::handling || stage_ == Session::Phase::streaming);
}

/// A unix socket that was closed still has what a handler that pauses has not read; a reset of TCP
/// has thrown it away.
bool Connection::keeps_bytes(short events) const noexcept {
  int unread = 0;
  return (events & POLLERR) == 0 && !eof_ && stage_ == Session::Phase::streaming &&
         ::ioctl(fd(), FIONREAD, &unread) == 0 && unread > 0;
}

/// A reset needs no reading to be seen, nor does the end of a unix socket. True: it is closed, or
/// something was sent; `this` may be gone.
bool Connection::look_at_client() {
  pollfd client{.fd = fd(), .events = POLLRDHUP, .revents = 0};
  if (::poll(&client, 1, 0) <= 0) return false;
  if ((client.revents & (POLLERR | POLLHUP)) != 0 && !keeps_bytes(client.revents)) {
    return close(), true;
  }
  if (eof_) return false;
  bool was_told = false;
  context_.with_session(*this, [&](std::string& out) { was_told = session_.on_client_end(out); });
  return was_told && (pump(), true);
}

void Connection::on_deadline() {
  std::int64_t now = context_.loop.now_ms();
  if (lingering_) return close();
  if (now >= write_deadline(now)) {
    if (!client_takes()) {
      abort();
      return close();
    }
    begin_write_window();
  }
  if (is_out_of_sight() && look_at_client()) return;
  if (now >= read_deadline(now)) {
    // Timers run before the descriptors: a request that came in time may still be unread. Only for
    // an idle connection: a slow head must not gain time by it.
    if (stage_ == Session::Phase::idle && reading_ && read_once()) return;
    context_.with_session(*this, [&](std::string& out) { session_.on_timeout(out); });
    return pump();
  }
  set_deadline();
}

void Connection::begin_write_window() noexcept {
  window_mark_ = progress_mark();
  window_moved_ = false;
  window_since_ = std::max(now32(), 1U);
}

std::int64_t Connection::write_deadline(std::int64_t now) const noexcept {
  return window_since_ == 0 ? kNever : ms_of(window_since_, now) + context_.timeouts.write.count();
}

/// Of TCP, the bytes that the client has acknowledged so far, their number's last 32 bits; of a
/// unix socket, the bytes that wait.
std::uint32_t Connection::progress_mark() const noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
    return static_cast<std::uint32_t>(info.tcpi_bytes_acked);
  }
  int queued = 0;
  ::ioctl(fd(), SIOCOUTQ, &queued);
  return static_cast<std::uint32_t>(queued);
}

/// Whether enough went to the client since the window began. A piece that left our queue is enough,
/// but its absence is not too little: the kernel has room for us again only when a third of its
/// buffer is free, which is minutes for a slow but honest client. One that takes a byte now and
/// then to hold us must keep the rate that a body must keep.
bool Connection::client_takes() const noexcept {
  if (window_moved_) return true;
  std::uint32_t taken = progress_mark() - window_mark_;
  auto seconds = static_cast<std::uint64_t>(context_.timeouts.write.count()) / 1000;
  return taken != 0 && taken >= context_.limits.body_rate * seconds;
}

}  // namespace pronghorn::server

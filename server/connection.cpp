// SPDX-License-Identifier: Apache-2.0
#include "server/connection.h"

#include <pronghorn/base/counters.h>

#include "server/deadlines.h"

#include <cerrno>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

namespace pronghorn::server {

Connection::Connection(ConnectionContext& context, UniqueFd socket, std::string_view peer,
                       std::uint16_t port)
    : context_(context),
      session_(context.session, peer, port),
      socket_(std::move(socket)),
      stage_since_(now32()) {}

Connection::~Connection() {
  if (is_woken_) context_.forget(*this);
  if (is_watched_) context_.writable.remove(fd(), *this);
}

void Connection::on_output() noexcept {
  if (!std::exchange(is_woken_, true)) context_.wake(*this);
}

void Connection::flush() {
  is_woken_ = false;
  awaits_room_ = false;
  if (lingering_) return;
  context_.with_session(*this, [&](std::string& out) { session_.on_output(out); });
  pump();
}

void Connection::start() {
  if (!read_once()) settle();
}

/// One recv(2) beside the loop. False: there was nothing; true: `this` may be gone.
bool Connection::read_once() {
  auto buffer = context_.receive;
  ssize_t n = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n > 0) {
    on_bytes({buffer.data(), static_cast<std::size_t>(n)});
    return true;
  }
  set_reading(false);
  on_end(n == 0 ? 0 : errno);
  return true;
}

/// What is answered and closed without a handle of the loop is spared the option as well: its last
/// bytes leave with the FIN. libuv makes the socket non-blocking.
bool Connection::attach() {
  if (is_from_elsewhere_) {
    int on = 1;  // of a unix socket it fails
    ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  auto opened = uv::Tcp::open(context_.loop, socket_.release(), *this);
  if (!opened) return false;
  tcp_ = std::move(*opened);
  return true;
}

void Connection::on_bytes(std::string_view bytes) {
  context_.session.counters.bytes_in.add(bytes.size());
  if (lingering_) return drop(bytes.size());
  more_unread_ = bytes.size() == context_.receive.size();
  context_.with_session(*this, [&](std::string& out) { session_.on_bytes(bytes, out); });
  session_.note_input(context_.session.now_ms);
  pump();
}

void Connection::on_end(int error) {
  eof_ = true;
  reading_ = false;
  if (lingering_ || error != 0) return close();
  if (session_.wants_close()) return settle();
  // A half-closed client still gets its answers (RFC 9112 §9.6 lets it close its side first).
  context_.with_session(*this, [&](std::string& out) { session_.on_eof(out); });
  pump();
}

/// Sends what a session call has left in the context's `out`. May destroy the connection.
void Connection::pump() {
  if (transmit(context_.out) == Flow::dead) return close();
  settle();
}

/// Decides what to wait for next. May destroy the connection.
void Connection::settle() {
  if (!is_blocked() && session_.wants_close()) return finish();
  if (!tcp_ && !attach()) return close();
  set_reading(!eof_ && unsent() <= context_.limits.write_buffer && session_.wants_input());
  set_deadline();
}

void Connection::set_reading(bool on) noexcept {
  if (on == reading_) return;  // each change is an epoll_ctl or two
  reading_ = on;
  if (on) {
    stage_since_ = now32();  // the time that we held it back is not the client's
    session_.note_input(context_.loop.now_ms());
    tcp_.read_start();
  } else {
    tcp_.read_stop();
  }
}

/// Everything is written and nothing more will be.
void Connection::finish() {
  // Input that is unread at close(2) makes the kernel send RST, which can overtake our last answer:
  // FIN first, then read until the client's FIN (RFC 9112 §9.6).
  // Where we have not been reading, nobody knows what there is; and what the client sends while a
  // large answer is under way has the same effect.
  bool maybe_unread = more_unread_ || (tcp_ && !reading_) || (sent_much_ && is_under_way());
  if (eof_ || !(session_.needs_linger() || maybe_unread)) return close();
  if (!tcp_ && !attach()) return close();
  lingering_ = true;
  tcp_.shutdown_write();
  set_reading(true);
  context_.deadlines.set(*this, context_.loop.now_ms() + context_.timeouts.linger.count());
}

/// Of what the kernel took there is something that the client's kernel has not.
bool Connection::is_under_way() const noexcept {
  int waiting = 0;
  return ::ioctl(fd(), SIOCOUTQ, &waiting) != 0 || waiting > 0;
}

void Connection::drop(std::size_t bytes) {
  lingered_ += static_cast<std::uint32_t>(bytes);
  // Not closed at the limit: the client may still be sending, and has until the deadline to see our
  // answer. Until then back-pressure holds it.
  if (lingered_ >= context_.limits.linger) set_reading(false);
}

void Connection::close() noexcept {
  note_cut(0);
  context_.owner.on_connection_closed(*this);
}

/// `waiting`: what a session call has left in the context's `out`, and the kernel has not taken.
void Connection::note_cut(std::size_t waiting) noexcept {
  // Of what was given to the loop the kernel may have some.
  std::size_t taken = in_flight_ > 0 ? in_flight_ - tcp_.unwritten() : 0;
  session_.on_cut(waiting + unsent() - taken + (piece_ != nullptr ? piece_->length : 0));
  context_.log_written();
}

/// For a body that cannot be sent as promised and a client that does not take it: RST says so, and
/// frees what the kernel still holds. Never on the normal path.
void Connection::abort() noexcept {
  linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace pronghorn::server

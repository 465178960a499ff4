// SPDX-License-Identifier: Apache-2.0
// The write side of a connection. One send(2) a batch; only what the kernel does not take is
// copied.
#include <pronghorn/base/counters.h>

#include "server/connection.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace pronghorn::server {
namespace {
/// What a client that does not keep up costs in memory: the queue goes to libuv in such pieces,
/// each of which is a sign of life for the write deadline.
constexpr std::size_t kQueuePiece = 64 * 1024;
/// A connection's share of a turn of the loop; beyond it the others come first.
constexpr std::size_t kTurnBudget = 1024 * 1024;
/// Ten segments, what a new connection may have on its way at once (RFC 6928).
constexpr std::size_t kFirstFlight = 14 * 1024;
}  // namespace

/// `out`, then the session's piece of a body, then what the session says after it, until the kernel
/// is full.
Connection::Flow Connection::transmit(std::string& out) {
  std::size_t budget = kTurnBudget;
  for (;;) {
    if (piece_ == nullptr) piece_ = session_.take_file();
    auto is_left = [this] { return piece_ != nullptr && piece_->length > 0; };
    bool goes_on = is_left() && !is_blocked();
    bool sent = goes_on ? send_piece(out, budget) : send(out, budget);
    if (!sent) {
      note_cut(out.size());
      return Flow::dead;
    }
    if (session_.needs_reset()) {
      abort();
      return Flow::dead;
    }
    if (is_blocked()) return Flow::blocked;
    out.clear();
    if (is_left()) continue;
    bool was_piece = std::exchange(piece_, nullptr) != nullptr;
    if (!was_piece && !session_.wants_writable()) return Flow::done;
    context_.with_session(*this, [&](std::string& more) {
      was_piece ? session_.on_file_sent(more) : session_.on_writable(more);
    });
    if (!was_piece && out.empty()) return Flow::done;
  }
}

/// What the kernel does not take is queued. False: the client is gone.
bool Connection::send(std::string_view out, std::size_t& budget, int flags) {
  if (out.empty()) return true;
  if (unsent() == 0 && budget > 0) {
    ssize_t n = ::send(fd(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT | flags);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    out.remove_prefix(count_sent(n, budget));
  }
  return out.empty() || enqueue(out);
}

/// Of a system call that sent: how much. Nothing when it was none.
std::size_t Connection::count_sent(ssize_t result, std::size_t& budget) noexcept {
  auto sent = static_cast<std::size_t>(std::max<ssize_t>(result, 0));
  context_.session.counters.bytes_out.add(sent);
  budget -= std::min(budget, sent);
  sent_much_ |= sent > kFirstFlight;
  return sent;
}

/// False: there is no handle of the loop to be had.
bool Connection::enqueue(std::string_view bytes) {
  if (!tcp_ && !attach()) return false;
  if (in_flight_ == 0 && bytes.size() <= kQueuePiece) {
    write_piece(std::string(bytes));
    return true;
  }
  if (!backlog_) backlog_ = std::make_unique<Backlog>();
  backlog_->bytes.append(bytes);
  if (in_flight_ == 0) write_backlog();
  return true;
}

void Connection::write_piece(std::string piece) {
  sent_much_ = true;
  in_flight_ = static_cast<std::uint32_t>(piece.size());
  tcp_.write(std::move(piece));
}

/// False: there is nothing more.
bool Connection::write_backlog() {
  if (!backlog_) return false;
  auto& [bytes, at] = *backlog_;
  write_piece(bytes.substr(at, kQueuePiece));
  at += in_flight_;
  if (at == bytes.size()) backlog_.reset();
  return true;
}

void Connection::on_room() {
  if (!awaits_room_) return;
  awaits_room_ = false;
  window_moved_ = true;  // a third of the kernel's buffer went (sk_stream_is_writeable)
  context_.out.clear();
  pump();
}

void Connection::on_written(int error) {
  if (error != 0) return close();
  context_.session.counters.bytes_out.add(in_flight_);
  in_flight_ = 0;
  window_moved_ = true;
  if (write_backlog()) return settle();
  context_.out.clear();
  pump();
}

}  // namespace pronghorn::server

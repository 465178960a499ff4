// SPDX-License-Identifier: Apache-2.0
// The write side of a connection. One send(2) a batch; only what the kernel does not take is
// copied.
#include <pronghorn/base/counters.h>

#include "server/connection.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace pronghorn::server {
namespace {
/// Of a file, read and sent at a time: with the head it fits the context's `out`.
constexpr std::size_t kFilePiece = 256 * 1024;
/// What a client that does not keep up costs in memory: the queue goes to libuv in such pieces
/// (each is a sign of life for the write deadline), and of a file no more than that is kept, the
/// rest read again.
constexpr std::size_t kQueuePiece = 64 * 1024;
/// A connection's share of a turn of the loop; beyond it the others come first.
constexpr std::size_t kTurnBudget = 1024 * 1024;
}  // namespace

/// `out`, then the session's file, then what the session says after it, until the kernel is full.
Connection::Flow Connection::transmit(std::string& out) {
  std::size_t budget = kTurnBudget;
  for (;;) {
    if (!file_) file_ = session_.take_file();
    std::size_t head = out.size();
    if (file_ && unsent() == 0) {
      if (!append_piece(out, budget > 0 ? kFilePiece : kQueuePiece)) {
        abort();
        return Flow::dead;
      }
    }
    if (!send(out, head, budget)) return Flow::dead;
    if (unsent() > 0) return Flow::blocked;
    out.clear();
    if (file_ && file_->length > 0) continue;
    bool was_file = file_.has_value();
    file_.reset();
    if (!was_file && (session_.wants_input() || session_.wants_close())) return Flow::done;
    context_.with_session([&](std::string& more) {
      was_file ? session_.on_file_sent(more) : session_.on_writable(more);
    });
    if (!was_file && out.empty()) return Flow::done;
  }
}

/// False: the file is shorter than its length was when the head was made. It is never padded.
bool Connection::append_piece(std::string& out, std::size_t at_most) {
  auto want = std::min<std::uint64_t>(file_->length, at_most);
  if (want == 0) return true;
  std::size_t head = out.size();
  ssize_t n = 0;
  out.resize_and_overwrite(head + want, [&](char* bytes, std::size_t) {
    do {
      n = ::pread(file_->file.get(), bytes + head, want, static_cast<off_t>(file_->offset));
    } while (n < 0 && errno == EINTR);
    return head + static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  });
  if (n <= 0) return false;
  file_->offset += static_cast<std::uint64_t>(n);
  file_->length -= static_cast<std::uint64_t>(n);
  return true;
}

/// Of `out`, what follows `head` bytes is of the file and can be read again. False: the client is
/// gone.
bool Connection::send(std::string& out, std::size_t head, std::size_t& budget) {
  std::size_t taken = 0;
  if (out.empty()) return true;
  if (unsent() == 0 && budget > 0) {
    ssize_t n = tcp_ ? tcp_->try_write(out)
                     : ::send(fd(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (tcp_ || (errno != EAGAIN && errno != EINTR))) return false;
    taken = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    context_.session.counters.bytes_out.add(taken);
    budget -= std::min(budget, taken);
  }
  std::string_view rest = std::string_view(out).substr(taken);
  if (rest.empty()) return true;
  if (out.size() > head) {
    std::size_t keep = std::max(head - std::min(head, taken), std::min(rest.size(), kQueuePiece));
    file_->offset -= rest.size() - keep;
    file_->length += rest.size() - keep;
    rest = rest.substr(0, keep);
  }
  if (!tcp_ && !attach()) return false;
  enqueue(rest);
  return true;
}

void Connection::enqueue(std::string_view bytes) {
  if (in_flight_ == 0 && bytes.size() <= kQueuePiece) return write_piece(std::string(bytes));
  if (!backlog_) backlog_ = std::make_unique<Backlog>();
  backlog_->bytes.append(bytes);
  if (in_flight_ == 0) write_backlog();
}

void Connection::write_piece(std::string piece) {
  in_flight_ = static_cast<std::uint32_t>(piece.size());
  tcp_->write(std::move(piece));
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

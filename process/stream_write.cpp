// SPDX-License-Identifier: Apache-2.0
// The writing side of a Stream.
#include "process/no_sigpipe.h"
#include "process/stream_impl.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>

namespace pronghorn::process {
namespace {

constexpr std::size_t kVectors = 16;
// One stream's share of a turn: then others have theirs.
constexpr int kWritesPerTurn = 4;

// writev(2) has no MSG_NOSIGNAL.
ssize_t write_without_signal(int fd, std::span<iovec> vectors) noexcept {
  NoSigpipe guard;
  ssize_t n = ::writev(fd, vectors.data(), static_cast<int>(vectors.size()));
  if (n < 0 && errno == EPIPE) guard.raised();
  return n;
}

bool means_later(int error) { return error == EAGAIN || error == ENOBUFS; }

}  // namespace

ssize_t Stream::Impl::write_once(std::span<iovec> vectors) const noexcept {
  for (;;) {
    ssize_t n = 0;
    if (kind == Kind::socket) {
      msghdr message{};
      message.msg_iov = vectors.data();
      message.msg_iovlen = vectors.size();
      n = ::sendmsg(fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      n = write_without_signal(fd.get(), vectors);
    }
    if (n >= 0 || errno != EINTR) return n;
  }
}

bool Stream::Impl::write(std::string_view bytes, Written written) {
  if (!writes || !fd || ending) {
    refuse(std::move(written), ending ? EPIPE : EBADF);
    return false;
  }
  accepted += bytes.size();
  if (written) waiters.push_back({accepted, std::move(written)});
  std::size_t taken = 0;
  if (queue.empty() && !bytes.empty()) {
    iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
    ssize_t n = write_once({&vector, 1});
    if (n < 0 && !means_later(errno)) {
      fail(Error::system(errno, "write"));
      return false;
    }
    if (n > 0) taken = static_cast<std::size_t>(n);
  }
  queue.append(bytes.substr(taken));
  went(taken);
  if (queue.size() >= kHighWaterMark) needs_drain = true;
  update();
  return queue.size() < kHighWaterMark;
}

void Stream::Impl::refuse(Written written, int errno_value) {
  if (!written) return;
  auto error = std::make_shared<const Error>(Error::system(errno_value, "write"));
  told.push_back({std::move(written), std::move(error)});
  settle_later();
}

bool Stream::Impl::flush() {
  std::array<iovec, kVectors> space;
  bool moved = false;
  for (int i = 0; i < kWritesPerTurn && !queue.empty(); ++i) {
    ssize_t n = write_once(queue.front(space));
    if (n < 0 && means_later(errno)) break;
    if (n < 0) {
      fail(Error::system(errno, "write"));
      return true;
    }
    queue.consume(static_cast<std::size_t>(n));
    went(static_cast<std::size_t>(n));
    moved = true;
  }
  if (queue.empty()) {
    if (std::exchange(needs_drain, false)) {
      drain_due = !ending;
      wake_feeders();
    }
    end_when_flushed();
  }
  return moved;
}

void Stream::Impl::went(std::size_t count) {
  delivered += count;
  bool some = false;
  for (; !waiters.empty() && waiters.front().end <= delivered; waiters.pop_front()) {
    told.push_back({std::move(waiters.front().written), nullptr});
    some = true;
  }
  if (some) settle_later();
}

void Stream::Impl::end(std::string_view last) {
  if (!writes || ending || !fd) return;
  if (!last.empty()) write(last, {});
  ending = true;
  drain_due = false;
  end_when_flushed();
}

void Stream::Impl::end_when_flushed() {
  if (!ending || finished || !fd || !queue.empty()) return;
  finished = finish_due = true;
  settle_later();
  if (reads && kind == Kind::socket) ::shutdown(fd.get(), SHUT_WR);
  close_when_done();
}

void Stream::Impl::lose_waiting(const std::shared_ptr<const Error>& error) {
  for (Waiter& one : waiters) told.push_back({std::move(one.written), error});
  waiters.clear();
}

void Stream::Impl::wake_feeders() {
  for (const auto& feeder : feeders) {
    if (auto from = feeder.lock()) from->update();
  }
}

}  // namespace pronghorn::process

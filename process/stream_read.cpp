// SPDX-License-Identifier: Apache-2.0
// The reading side of a Stream, and pipe().
#include "process/stream_impl.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace pronghorn::process {
namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;  // what a pipe holds
// One stream's share of a turn: then others have theirs.
constexpr int kReadsPerTurn = 4;

}  // namespace

bool Stream::Impl::wants_read() const {
  return fd && reads && !read_ended && flowing == Flow::flowing && !is_held_up();
}

bool Stream::Impl::is_held_up() const {
  return std::ranges::any_of(targets, [](const std::weak_ptr<Impl>& target) {
    auto to = target.lock();
    return to && to->fd && to->needs_drain;
  });
}

void Stream::Impl::flow(Flow now) {
  if (!reads) return;
  flowing = now;
  update();
}

ssize_t Stream::Impl::read_once(std::span<char> buffer) const noexcept {
  if (kind != Kind::shared) return ::read(fd.get(), buffer.data(), buffer.size());
  // Another process may have taken the bytes that made it readable: a plain read would wait.
  iovec vector{buffer.data(), buffer.size()};
  ssize_t n = ::preadv2(fd.get(), &vector, 1, -1, RWF_NOWAIT);
  if (n >= 0 || errno != EOPNOTSUPP) return n;
  n = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n >= 0 || errno != ENOTSOCK) return n;
  return ::read(fd.get(), buffer.data(), buffer.size());  // terminals: they can only be asked
}

bool Stream::Impl::read_some() {
  std::array<char, kReadBuffer> buffer;  // not cleared: 64 KiB for each event
  for (int i = 0; i < kReadsPerTurn && wants_read(); ++i) {
    ssize_t n = read_once(buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return i > 0;
    if (n < 0) {
      fail(Error::system(errno, "read"));
      return true;
    }
    if (n == 0) {
      read_ended = end_due = true;
      return true;
    }
    deliver({buffer.data(), static_cast<std::size_t>(n)});
    bool is_emptied = static_cast<std::size_t>(n) < buffer.size();
    if (is_emptied || kind == Kind::shared || kind == Kind::file) break;
  }
  return true;
}

void Stream::Impl::deliver(std::string_view bytes) {
  for (const auto& target : targets) {
    if (auto to = target.lock(); to && to->fd && !to->ending) to->write(bytes, {});
  }
  if (collector) collector(bytes);
  on_data.emit(bytes);
}

void Stream::Impl::read_later() {
  if (std::exchange(read_scheduled, true)) return;
  loop.defer([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->read_scheduled = false;
    if (self->wants_read()) self->read_some();
    self->update();
    self->settle();
  });
}

void Stream::Impl::finish_reading() {
  for (const auto& target : std::exchange(targets, {})) {
    if (auto to = target.lock()) to->end({});
  }
  on_end.emit();
  // Without this a socket to a child that has left would wait for an end() that nobody calls.
  end({});
}

void Stream::Impl::pipe(const std::shared_ptr<Impl>& to) {
  bool has_ended = read_ended && !end_due;
  if (!reads || has_ended) {
    if (to) to->end({});
    return;
  }
  if (to) {
    targets.push_back(to);
    to->feeders.push_back(weak_from_this());
  }
  flow(Flow::flowing);
}

}  // namespace pronghorn::process

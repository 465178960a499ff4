// SPDX-License-Identifier: Apache-2.0
// The lifetime of a channel and its sending side; channel_input.cpp has the receiving one.
#include "ipc/channel_impl.h"

#include "ipc/socket_io.h"
#include "ipc/wire.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

namespace pronghorn::ipc {
namespace {

// Node's mark: `return channel.writeQueueSize < (65536 * 2)`.
constexpr std::size_t kSlowDownBytes = 128 * 1024;

Error refused(std::errc code, const char* text) { return {std::make_error_code(code), text}; }
Error closed_error() { return refused(std::errc::broken_pipe, "the channel is closed"); }

}  // namespace

Channel::Impl::Impl(UniqueFd fd, Handlers handlers, Limits limits)
    : fd_(std::move(fd)),
      handlers_(std::move(handlers)),
      limits_(limits),
      reader_(limits.max_message) {}

Result<void> Channel::Impl::watch(Loop& loop) {
  if (!is_socket(fd_.get())) {
    return std::unexpected(
        refused(std::errc::not_a_socket, "the channel's descriptor is no socket"));
  }
  auto poll =
      uv::Poll::open(loop, fd_.get(), [this](int events, int error) { on_ready(events, error); });
  if (!poll) return std::unexpected(std::move(poll.error()));
  poll_ = std::move(*poll);
  poll_->want(uv::Poll::kReadable);
  return {};
}

Result<void> Channel::Impl::check_sendable(std::size_t bytes) const {
  if (state_ != State::open) return std::unexpected(closed_error());
  if (bytes > limits_.max_message) {
    return std::unexpected(
        refused(std::errc::message_size, "the message is larger than the channel allows"));
  }
  if (outbox_.queued() > 0 && outbox_.queued() + bytes > limits_.max_queued) {
    return std::unexpected(
        refused(std::errc::no_buffer_space, "the peer does not read; the channel's queue is full"));
  }
  return {};
}

Result<bool> Channel::Impl::send(std::string line) {
  if (auto ok = check_sendable(line.size()); !ok) return std::unexpected(std::move(ok.error()));
  line += '\n';
  outbox_.push(std::move(line));
  return sent();
}

Result<bool> Channel::Impl::send_handle(std::string_view json, HandleType type, int fd) {
  if (!is_socket(fd)) {
    return std::unexpected(refused(std::errc::not_a_socket, "only sockets travel over a channel"));
  }
  std::string line = wrap_in_handle(json, type, datagram_type(fd));
  if (auto ok = check_sendable(line.size()); !ok) return std::unexpected(std::move(ok.error()));
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) return std::unexpected(Error::system(errno, "cannot duplicate a socket"));
  line += '\n';
  outbox_.push_handle(std::move(line), std::move(copy), type == HandleType::net_socket);
  return sent();
}

Result<bool> Channel::Impl::sent() {
  flush();
  if (state_ != State::open) return std::unexpected(closed_error());
  return outbox_.queued() < kSlowDownBytes;
}

void Channel::Impl::flush() {
  if (!may_write()) return;
  blocked_ = false;
  while (auto chunk = outbox_.next()) {
    ssize_t count = transmit(fd_.get(), chunk->bytes, chunk->fd);
    if (count == -EAGAIN) {
      blocked_ = true;
      break;
    }
    if (count < 0) {
      // A peer that left is not our failure: what it sent before is read up to its EOF.
      if (count != -EPIPE && count != -ECONNRESET) {
        write_failure_ = Error::system(static_cast<int>(-count), "cannot write to the channel");
      }
      shut_down(State::draining);
      return;
    }
    outbox_.wrote(static_cast<std::size_t>(count));
  }
  poll_->want(uv::Poll::kReadable | (blocked_ ? uv::Poll::kWritable : 0));
  if (state_ == State::flushing && outbox_.is_idle()) shut_down(State::ending);
}

void Channel::Impl::disconnect() {
  if (state_ != State::open) return;
  state_ = State::flushing;
  poll_->ref();  // the loop must stay for on_disconnect
  flush();
}

// shutdown(2) makes the socket readable, so the end is told by the loop, and in one place
// (read_some). Reading up to EOF before closing matters: unread input would turn the peer's EOF
// into ECONNRESET.
void Channel::Impl::shut_down(State next) {
  state_ = next;
  blocked_ = false;
  outbox_.clear();
  ::shutdown(fd_.get(), SHUT_RDWR);
  poll_->want(uv::Poll::kReadable);
}

void Channel::Impl::set_referenced(bool referenced) noexcept {
  if (state_ != State::open) return;
  referenced ? poll_->ref() : poll_->unref();
}

void Channel::Impl::abandon() noexcept {
  abandoned_ = true;
  close();
  if (turns_ == 0) delete this;
}

void Channel::Impl::close() noexcept {
  state_ = State::closed;
  poll_.reset();  // before the descriptor it watches
  fd_.reset();
  received_.clear();
  outbox_.clear();
}

void Channel::Impl::finish() {
  close();
  if (!abandoned_ && handlers_.on_disconnect) handlers_.on_disconnect();
}

void Channel::Impl::fail(const Error& error) {
  close();
  if (!abandoned_ && handlers_.on_error) handlers_.on_error(error);
  if (!abandoned_ && handlers_.on_disconnect) handlers_.on_disconnect();
}

}  // namespace pronghorn::ipc

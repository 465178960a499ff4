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
// What is worth a write of its own within a turn.
constexpr std::size_t kWriteBytes = 64 * 1024;
constexpr Millis kRetryDelay{10};

Error refused(std::errc code, const char* text) { return {std::make_error_code(code), text}; }
Error closed_error() { return {Errc::ipc_channel_closed, "the channel is closed"}; }

}  // namespace

Channel::Impl::Impl(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits)
    : loop_(loop),
      fd_(std::move(fd)),
      handlers_(std::move(handlers)),
      limits_(limits),
      reader_(limits.max_message),
      held_sockets_([this](const std::string& key) {
        if (state_ != State::open) return;
        outbox_.push(encode_socket_note({.kind = SocketNote::Kind::all_closed, .key = key}));
        write_later();  // this comes from wherever the user closes a socket
      }) {}

Result<void> Channel::Impl::watch() {
  if (!is_socket(fd_.get())) {
    return std::unexpected(
        refused(std::errc::not_a_socket, "the channel's descriptor is no socket"));
  }
  auto poll =
      uv::Poll::open(loop_, fd_.get(), [this](int events, int error) { on_ready(events, error); });
  if (!poll) return std::unexpected(std::move(poll.error()));
  poll_ = std::move(*poll);
  show_interest();
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

Result<bool> Channel::Impl::send(std::string json, Sent sent) {
  if (auto ok = check_sendable(json.size()); !ok) return std::unexpected(std::move(ok.error()));
  json += '\n';
  outbox_.push(std::move(json));
  return queued_one(std::move(sent));
}

Result<bool> Channel::Impl::send_handle(std::string_view json, const Handle& handle, Sent sent) {
  if (!handle.shared && !is_socket(handle.fd)) {
    return std::unexpected(Error(Errc::invalid_handle_type, "only sockets travel over a channel"));
  }
  std::string line = wrap_in_handle(
      json, handle.type, handle.key,
      handle.type == HandleType::dgram_socket ? datagram_type(handle.fd) : std::string_view());
  if (auto ok = check_sendable(line.size()); !ok) return std::unexpected(std::move(ok.error()));
  UniqueFd copy;
  if (!handle.shared) {
    copy.reset(::fcntl(handle.fd, F_DUPFD_CLOEXEC, 3));
    if (!copy) return std::unexpected(Error::system(errno, "cannot duplicate a socket"));
  }
  line += '\n';
  const bool is_counted = handle.type == HandleType::net_socket && !handle.key.empty();
  handle_notes_.push_back({is_counted ? handle.key : std::string(), handle.on_lost});
  if (is_counted) sent_sockets_.sent(handle.key);
  const bool resend = handle.type == HandleType::net_socket;
  handle.shared ? outbox_.push_handle(std::move(line), handle.shared, resend)
                : outbox_.push_handle(std::move(line), std::move(copy), resend);
  if (!blocked_) flush();  // each needs a system call of its own: waiting for others gains nothing
  return queued_one(std::move(sent));
}

// Node's `subprocess.send`: behind a handle the first message only; else by the unsent bytes.
Result<bool> Channel::Impl::queued_one(Sent sent) {
  const std::uint64_t at = outbox_.pushed();
  write();
  const auto behind = outbox_.waiting_behind_handle();
  if (state_ != State::open) return std::unexpected(closed_error());
  if (sent) {
    receipts_.add(at, std::move(sent));
    receipts_.settle(outbox_.left());
    if (receipts_.due() > 0) schedule();
  }
  if (behind && *behind > 0) return *behind == 1;
  return outbox_.queued() < kSlowDownBytes;
}

// The first of a turn of the loop leaves at once, what follows together before the loop polls
// again: a burst of small messages costs two system calls, and nobody waits for a lone one.
void Channel::Impl::write() {
  if (blocked_) return;  // the poll will tell
  if (write_scheduled_) {
    if (outbox_.unsent() >= kWriteBytes) flush();
    return;
  }
  flush();
  write_later();
}

void Channel::Impl::write_later() {
  if (std::exchange(write_scheduled_, true)) return;
  loop_.soon([turn = Turn(*this), this] {
    write_scheduled_ = false;
    if (!blocked_) flush();
  });
}

void Channel::Impl::flush() {
  if (!may_write()) return;
  blocked_ = false;
  while (auto chunk = outbox_.next()) {
    ssize_t count = transmit(fd_.get(), chunk->bytes, chunk->fd, chunk->more);
    if (count == -EAGAIN) {
      blocked_ = true;
      break;
    }
    if (count == -ETOOMANYREFS) {
      if (!outbox_.hold_handles()) flush_later();
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
  receipts_.settle(outbox_.left());
  if (receipts_.due() > 0) schedule();
  if (state_ == State::flushing && outbox_.is_idle()) return shut_down(State::ending);
  show_interest();
}

// A user's processes may have as many descriptors under way as one of them may have open (unix(7)):
// other channels, whose peers do not read, can use them up.
void Channel::Impl::flush_later() {
  if (!retry_) {
    retry_.emplace(loop_, [this] {
      Turn turn(*this);
      flush();
    });
  }
  retry_->start(kRetryDelay);
}

void Channel::Impl::count_sockets(std::string_view key, SentSockets::Counted reply) {
  if (state_ != State::open) {
    sent_sockets_.refuse(std::move(reply));
  } else {
    sent_sockets_.count(key, std::move(reply));
  }
  ask_about_sockets();
}

void Channel::Impl::when_sockets_closed(std::string_view key, SentSockets::Closed closed) {
  if (state_ != State::open) {
    sent_sockets_.refuse(std::move(closed));
  } else {
    sent_sockets_.when_closed(key, std::move(closed));
  }
  ask_about_sockets();
}

void Channel::Impl::ask_about_sockets() {
  while (auto question = sent_sockets_.take_question()) {
    if (state_ == State::open) outbox_.push(encode_socket_note(*question));
  }
  if (sent_sockets_.due() > 0) schedule();
  write();
}

bool Channel::Impl::disconnect() {
  if (state_ != State::open) return false;
  state_ = State::flushing;
  set_paused(false);  // the acknowledgements that what is queued waits for
  flush();
  return true;
}

// shutdown(2) makes the socket readable, so the end is told by the loop, and in one place
// (read_some). Reading up to EOF before closing matters: unread input would turn the peer's EOF
// into ECONNRESET.
void Channel::Impl::shut_down(State next) {
  state_ = next;
  blocked_ = false;
  retry_.reset();
  outbox_.clear();
  receipts_.fail(closed_error());
  if (receipts_.due() > 0) schedule();
  ::shutdown(fd_.get(), SHUT_RDWR);
  show_interest();
}

// What waits to be written keeps the loop, also without a reference.
void Channel::Impl::show_interest() noexcept {
  if (!poll_) return;
  poll_->want((paused_ ? 0 : uv::Poll::kReadable) | (blocked_ ? uv::Poll::kWritable : 0));
  if (referenced_.value_or(referenced_by_default_) || blocked_ || state_ == State::flushing ||
      state_ == State::ending) {
    poll_->ref();
  } else {
    poll_->unref();
  }
}

void Channel::Impl::set_referenced(bool referenced) noexcept {
  referenced_ = referenced;
  show_interest();
}

void Channel::Impl::set_default_reference(bool referenced) noexcept {
  referenced_by_default_ = referenced;
  show_interest();
}

void Channel::Impl::set_paused(bool paused) noexcept {
  if (state_ == State::closed || (paused && !takes_input())) return;
  paused_ = paused;
  show_interest();
  if (!paused && lines_wait_) schedule();
}

void Channel::Impl::schedule() {
  if (std::exchange(scheduled_, true)) return;
  // The turn keeps this object until the call, or until the loop throws it away.
  loop_.defer([turn = Turn(*this), this] { after_turn(); });
}

void Channel::Impl::after_turn() {
  scheduled_ = false;
  if (abandoned_) return;
  tell_due();
  if (!abandoned_ && lines_wait_ && !paused_) take_lines();
}

// Those that are due now; what their callbacks cause is told a turn later.
void Channel::Impl::tell_due() {
  for (std::size_t n = receipts_.due(); n > 0 && !abandoned_ && receipts_.due() > 0; --n) {
    receipts_.take_due()();
  }
  for (std::size_t n = sent_sockets_.due(); n > 0 && !abandoned_ && sent_sockets_.due() > 0; --n) {
    sent_sockets_.take_due()();
  }
}

void Channel::Impl::abandon() noexcept {
  abandoned_ = true;
  if (!blocked_ && state_ != State::closed) flush();  // what waits for the end of the turn
  close();
  if (turns_ == 0) delete this;
}

void Channel::Impl::close() noexcept {
  state_ = State::closed;
  poll_.reset();  // before the descriptor it watches
  retry_.reset();
  fd_.reset();
  received_.clear();
  handle_notes_.clear();
  outbox_.clear();
}

void Channel::Impl::finish() {
  close();
  receipts_.fail(closed_error());
  sent_sockets_.end();
  tell_due();
  if (!abandoned_ && handlers_.on_disconnect) handlers_.on_disconnect();
}

void Channel::Impl::fail(const Error& error) {
  close();
  receipts_.fail(closed_error());
  sent_sockets_.end();
  tell_due();
  if (!abandoned_ && handlers_.on_error) handlers_.on_error(error);
  if (!abandoned_ && handlers_.on_disconnect) handlers_.on_disconnect();
}

}  // namespace pronghorn::ipc

// SPDX-License-Identifier: Apache-2.0
// The receiving side of a channel: reads, lines, descriptors, and what is delivered.
#include "ipc/channel_impl.h"
#include "ipc/socket_io.h"
#include "ipc/wire.h"

#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pronghorn::ipc {
namespace {

// Per wake-up, so that a peer that floods us does not starve the rest of the loop. A descriptor
// ends a recvmsg (unix(7)), so handles need several reads for few bytes.
constexpr std::size_t kBytesPerTurn = 64 * 1024;
constexpr int kReadsPerTurn = 16;
// Handles that are taken without looking for another, after a look that found none.
constexpr int kLoneHandles = 16;
// Descriptors that may wait for the end of a long NODE_HANDLE line.
constexpr std::size_t kMaxWaitingDescriptors = 8;

Error protocol(const std::string& what) {
  return {Errc::protocol, "the peer broke the protocol: " + what};
}

}  // namespace

void Channel::Impl::on_ready(int events, int error) {
  Turn turn(*this);
  // libuv reports POLLERR (the peer closed with our bytes unread) as an error and stops; recvmsg
  // and sendmsg know more.
  if (error != 0) events = uv::Poll::kReadable | uv::Poll::kWritable;
  if ((events & uv::Poll::kWritable) != 0 && blocked_) flush();
  if ((events & uv::Poll::kReadable) != 0 && !paused_) read_some();
  if (error != 0 && state_ != State::closed) show_interest();
}

void Channel::Impl::read_some() {
  std::array<char, kBytesPerTurn> space;  // uninitialised on purpose
  std::size_t taken = 0;
  if (lines_wait_) take_lines();
  for (int reads = 0; reads < kReadsPerTurn && taken < kBytesPerTurn; ++reads) {
    if (paused_ || state_ == State::closed) return;
    const auto room = std::span(space).subspan(taken);
    const std::size_t descriptors = received_.size();
    ssize_t count = receive(fd_.get(), room, received_);
    if (count == -EAGAIN) {
      if (reads > 0) lone_handles_ = kLoneHandles;
      return;
    }
    if (reads > 0) lone_handles_ = 0;
    if (count == 0 || count == -ECONNRESET) {
      // An incomplete last line is dropped, as Node does.
      return write_failure_ ? fail(*std::exchange(write_failure_, std::nullopt)) : finish();
    }
    if (count < 0)
      return fail(Error::system(static_cast<int>(-count), "cannot read from the channel"));
    if (!takes_input()) {
      received_.clear();
      continue;
    }
    reader_.feed({space.data() + taken, static_cast<std::size_t>(count)});
    taken += static_cast<std::size_t>(count);
    const bool was_full = static_cast<std::size_t>(count) == room.size();
    const bool was_cut = received_.size() != descriptors;  // by the descriptor, whatever follows
    take_lines();
    // The queue's end, surely or probably: the poll tells of more, and spares a call.
    if (!was_full && (!was_cut || lone_handles_-- > 0)) return;
  }
}

void Channel::Impl::take_lines() {
  // What a pause held back is thrown away after the end, as what was not yet read.
  if (!takes_input()) {
    lines_wait_ = false;
    return;
  }
  while (!paused_) {
    auto line = reader_.next();
    if (!line) break;
    take_line(*line);
    if (!takes_input()) return;
  }
  lines_wait_ = paused_;
  if (paused_) return reader_.keep();
  if (reader_.is_too_long()) {
    return fail(protocol("a message over " + std::to_string(limits_.max_message) + " bytes"));
  }
  // A descriptor comes with the first byte of its NODE_HANDLE line. One that is left when no line
  // is open would be taken for a later message's.
  if (received_.size() > (reader_.has_partial() ? kMaxWaitingDescriptors : 0)) {
    fail(protocol("a descriptor that no message announces"));
  }
}

void Channel::Impl::take_line(std::string_view line) {
  auto incoming = Incoming::parse(line);
  message_bytes_ = line.size();
  if (!incoming) return fail(protocol(incoming.error().message()));
  switch (incoming->kind()) {
    case Incoming::Kind::ack:
      outbox_.acknowledged();
      return take_done_handles();
    case Incoming::Kind::nack:
      outbox_.refused();
      return take_done_handles();
    case Incoming::Kind::sockets:
      return take_note(incoming->sockets());
    case Incoming::Kind::message:
      return take_message(*incoming);
  }
}

void Channel::Impl::take_done_handles() {
  std::vector<std::function<void()>> lost;
  const Error error("the peer did not take a socket that was sent to it");
  while (auto outcome = outbox_.take_done()) {
    const bool is_lost = outcome == Outbox::Outcome::lost;
    receipts_.settle(outbox_.left(), is_lost ? &error : nullptr);
    HandleNote note = std::move(handle_notes_.front());
    handle_notes_.pop_front();
    if (is_lost && !note.key.empty()) sent_sockets_.lost(note.key);
    if (is_lost) lost.push_back(std::move(note.on_lost));
  }
  if (receipts_.due() > 0 || sent_sockets_.due() > 0) schedule();
  flush();
  for (auto& on_lost : lost) {
    if (abandoned_) return;
    if (on_lost) {
      on_lost();
    } else if (handlers_.on_handle_lost) {
      handlers_.on_handle_lost(error);
    }
  }
}

bool Channel::Impl::queue_answer(std::string_view line) {
  if (!may_write() || outbox_.push_control(line)) return true;
  fail(protocol("question after question, and it reads no answer"));
  return false;
}

bool Channel::Impl::answer(std::string_view line) {
  if (!queue_answer(line)) return false;
  if (may_write()) write();
  return true;
}

void Channel::Impl::take_note(const SocketNote& note) {
  switch (note.kind) {
    case SocketNote::Kind::get_count:
      answer(encode_socket_note({.kind = SocketNote::Kind::count,
                                 .key = note.key,
                                 .count = held_sockets_.count(note.key)}));
      return;
    case SocketNote::Kind::notify_close:
      if (!held_sockets_.close_asked(note.key)) return;
      answer(encode_socket_note({.kind = SocketNote::Kind::all_closed, .key = note.key}));
      return;
    case SocketNote::Kind::count:
    case SocketNote::Kind::all_closed:
      sent_sockets_.answered(note);
      return ask_about_sockets();
  }
}

void Channel::Impl::take_message(const Incoming& incoming) {
  ReceivedHandle handle{.type = incoming.type(), .fd = {}};
  if (incoming.has_handle()) {
    bool came = !received_.empty();
    if (came) {
      handle.fd = std::move(received_.front());
      received_.pop_front();
      if (!is_socket(handle.fd.get())) return fail(protocol("a descriptor that is no socket"));
    }
    // Without its descriptor it is not delivered: the sender repeats it, or gives up (MSG_CTRUNC,
    // EMFILE).
    if (!came) {
      answer(kNackLine);
      return;
    }
    // It leaves with what the listener sends (cluster: whether it took the connection).
    if (!queue_answer(kAckLine) || !takes_input()) return;
    if (!incoming.key().empty()) handle.counted = held_sockets_.hold(incoming.key());
  }
  auto& handler = incoming.is_internal() ? handlers_.on_internal : handlers_.on_message;
  if (handler) handler(incoming.message(), std::move(handle));
  if (!abandoned_ && may_write() && outbox_.unsent() > 0) write();
}

}  // namespace pronghorn::ipc

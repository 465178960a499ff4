// SPDX-License-Identifier: Apache-2.0
// The receiving side of a channel: reads, lines, descriptors, and what is delivered.
#include <pronghorn/base/log.h>

#include "ipc/channel_impl.h"
#include "ipc/socket_io.h"
#include "ipc/wire.h"

#include <array>
#include <cerrno>
#include <span>

namespace pronghorn::ipc {
namespace {

// Per wake-up, so that a peer that floods us does not starve the rest of the loop. A descriptor
// ends a recvmsg (unix(7)), so handles need several reads for few bytes.
constexpr std::size_t kBytesPerTurn = 64 * 1024;
constexpr int kReadsPerTurn = 16;
// Descriptors that may wait for the end of a long NODE_HANDLE line.
constexpr std::size_t kMaxWaitingDescriptors = 8;

}  // namespace

void Channel::Impl::on_ready(int events, int error) {
  Turn turn(*this);
  // libuv reports POLLERR (the peer closed with our bytes unread) as an error and stops; recvmsg
  // knows more.
  if (error != 0) events = uv::Poll::kReadable;
  if ((events & uv::Poll::kWritable) != 0) flush();
  if ((events & uv::Poll::kReadable) != 0) read_some();
  if (error != 0 && state_ != State::closed)
    poll_->want(uv::Poll::kReadable | (blocked_ ? uv::Poll::kWritable : 0));
}

void Channel::Impl::read_some() {
  std::array<char, kBytesPerTurn> space;  // uninitialised on purpose
  std::size_t taken = 0;
  for (int reads = 0; reads < kReadsPerTurn && taken < kBytesPerTurn; ++reads) {
    ssize_t count = receive(fd_.get(), std::span(space).subspan(taken), received_);
    if (count == -EAGAIN) return;
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
    take_lines();
    if (state_ == State::closed) return;
  }
}

void Channel::Impl::take_lines() {
  while (auto line = reader_.next()) {
    take_line(*line);
    if (!takes_input()) return;
  }
  if (reader_.is_too_long()) {
    return fail(
        Error(std::make_error_code(std::errc::message_size),
              "the peer sent a message over " + std::to_string(limits_.max_message) + " bytes"));
  }
  // A descriptor comes with the first byte of its NODE_HANDLE line. One that is left when no line
  // is open would be taken for a later message's.
  if (received_.size() > (reader_.has_partial() ? kMaxWaitingDescriptors : 0)) {
    fail(Error("the peer sent a descriptor that no message announces"));
  }
}

void Channel::Impl::take_line(std::string_view line) {
  auto incoming = Incoming::parse(line);
  if (!incoming) return fail(Error("the peer broke the protocol: " + incoming.error().message()));
  switch (incoming->kind()) {
    case Incoming::Kind::ack:
      outbox_.acknowledged();
      return flush();
    case Incoming::Kind::nack:
      if (outbox_.refused() == Outbox::Nacked::lost) log::warn("socket not received by peer");
      return flush();
    case Incoming::Kind::message:
      return take_message(*incoming);
  }
}

void Channel::Impl::take_message(const Incoming& incoming) {
  UniqueFd fd;
  if (incoming.has_handle()) {
    bool came = !received_.empty();
    if (came) {
      fd = std::move(received_.front());
      received_.pop_front();
      if (!is_socket(fd.get())) return fail(Error("the peer sent a descriptor that is no socket"));
    }
    if (may_write() && !outbox_.push_control(came ? kAckLine : kNackLine)) {
      return fail(Error("the peer sends handles and reads no acknowledgement"));
    }
    flush();
    // Without its descriptor it is not delivered: the sender repeats it, or gives up (MSG_CTRUNC,
    // EMFILE).
    if (!came || !takes_input()) return;
  }
  auto& handler = incoming.is_internal() ? handlers_.on_internal : handlers_.on_message;
  if (handler) handler(incoming.message(), std::move(fd));
}

}  // namespace pronghorn::ipc

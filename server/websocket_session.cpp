// SPDX-License-Identifier: Apache-2.0
// Frames by wslay's frame layer. Its event layer is not used: it takes a Close with one byte, ends
// a connection without a code where a header is wrong, and checks a reason's UTF-8 differently when
// it comes in pieces (1.1.1).
#include "server/websocket_session.h"

#include "server/buffer.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <optional>
#include <utility>
#include <wslay/wslay.h>

namespace pronghorn::server {
namespace {

constexpr std::uint64_t kSmallFrame = 64;
constexpr std::uint64_t kBurstSeconds = 10;

std::unexpected<Error> not_open() {
  return std::unexpected(
      Error(std::error_code(EPIPE, std::generic_category()), "the websocket is closing or closed"));
}

std::string_view view(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

ssize_t take_input(std::uint8_t* space, std::size_t size, int, void* ends) noexcept {
  auto& bytes = static_cast<WebSocketSession::Ends*>(ends)->input;
  if (bytes.empty()) return -1;
  size = bytes.copy(reinterpret_cast<char*>(space), size);
  bytes.remove_prefix(size);
  return static_cast<ssize_t>(size);
}

ssize_t append_output(const std::uint8_t* data, std::size_t size, int, void* ends) noexcept {
  static_cast<WebSocketSession::Ends*>(ends)->output->append(view(data, size));
  return static_cast<ssize_t>(size);
}

/// With a mask (§5.2).
constexpr std::size_t header_length(std::uint64_t payload) noexcept {
  return (payload < 126 ? 2 : payload < 65'536 ? 4 : 10) + 4;
}

/// What a header says that is here in full; nothing of one that is not.
std::optional<wslay_frame_iocb> read_header(std::string_view bytes) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  const std::size_t extended = (byte(1) & 0x7f) == 127 ? 8 : (byte(1) & 0x7f) == 126 ? 2 : 0;
  const bool is_masked = (byte(1) & 0x80) != 0;
  if (bytes.size() < 2 + extended + (is_masked ? 4 : 0)) return std::nullopt;
  wslay_frame_iocb header{};
  header.fin = byte(0) >> 7;
  header.rsv = (byte(0) >> 4) & 7;
  header.opcode = byte(0) & 15;
  header.mask = is_masked ? 1 : 0;
  header.payload_length = extended == 0 ? byte(1) & 0x7f : 0;
  for (std::size_t i = 0; i < extended; ++i) {
    header.payload_length = header.payload_length << 8 | byte(2 + i);
  }
  return header;
}

}  // namespace

void WebSocketSession::Free::operator()(wslay_frame_context* context) const noexcept {
  wslay_frame_context_free(context);
}

WebSocketSession::WebSocketSession(const Limits& limits, Owner& owner)
    : limits_(limits),
      owner_(owner),
      credit_(limits.small_frames_per_second * kBurstSeconds * 1000) {
  const wslay_frame_callbacks callbacks{
      .send_callback = append_output, .recv_callback = take_input, .genmask_callback = nullptr};
  wslay_frame_context_ptr frames = nullptr;
  if (wslay_frame_context_init(&frames, &callbacks, &ends_) != 0) throw std::bad_alloc();
  frames_.reset(frames);
}

WebSocketSession::~WebSocketSession() = default;

void WebSocketSession::on_bytes(std::string_view bytes, std::int64_t now_ms, std::string& out) {
  ends_.input = bytes;
  framed_ = 0;
  now_ms_ = now_ms;
  out_ = &out;
  while (state_ != State::closed) {
    wslay_frame_iocb piece{};
    const auto result = wslay_frame_recv(frames_.get(), &piece);
    if (result >= 0) {
      on_piece(piece);
    } else if (result != WSLAY_ERR_WANT_READ) {
      // A control frame that is long or in fragments, a length not in its shortest form (§5.2,
      // §5.5).
      fail(1002, "wrong frame header");
    } else if (ends_.input.empty()) {
      break;
    }
  }
  if (state_ != State::closed && !in_frame_) look_at_header(bytes);
  ends_.input = {};
  out_ = nullptr;
}

void WebSocketSession::on_gone() {
  if (state_ != State::closed) finish(1006, "connection lost");
}

/// A part of a frame's payload, or a frame without one.
void WebSocketSession::on_piece(const wslay_frame_iocb& piece) {
  const bool is_first = !in_frame_;
  if (is_first) {
    if (!begin_frame(piece)) return;
    in_frame_ = true;
    frame_left_ = piece.payload_length;
    framed_ += header_length(piece.payload_length) - std::exchange(header_size_, std::uint8_t{0});
  }
  const std::string_view data = view(piece.data, piece.data_length);
  frame_left_ -= data.size();
  framed_ += data.size();
  const bool is_last = frame_left_ == 0;
  if (wslay_is_ctrl_frame(piece.opcode)) {
    control_ += data;
  } else if (state_ == State::open) {
    const bool is_whole = is_first && is_last && piece.fin && message_.empty();
    if (is_text_ && !text_check_.feed(data)) return fail(1007, "text that is not UTF-8");
    if (!is_whole) message_ += data;
    if (is_whole) {
      in_frame_ = false;
      return end_message(data);  // where it was received: most messages are never copied
    }
  }
  if (!is_last) return;
  in_frame_ = false;
  if (wslay_is_ctrl_frame(piece.opcode)) return end_control(piece.opcode);
  if (piece.fin) end_message(std::exchange(message_, {}));
}

/// wslay tells of a frame with the first byte of its payload; a client that waits to be told that
/// its frame is refused would wait for ever. What of `bytes` no frame had is the next one's header.
void WebSocketSession::look_at_header(std::string_view bytes) {
  bytes.remove_prefix(static_cast<std::size_t>(std::min<std::uint64_t>(framed_, bytes.size())));
  header_size_ += static_cast<std::uint8_t>(
      bytes.copy(header_.data() + header_size_, kLongestHeader - header_size_));
  const auto header = read_header({header_.data(), header_size_});
  if (!header || !begin_frame(*header)) return;
  in_frame_ = true;
  frame_left_ = header->payload_length;
  header_size_ = 0;
}

/// The rules that a frame's header can break (§5.1, §5.2, §5.4). @returns false after fail()
bool WebSocketSession::begin_frame(const wslay_frame_iocb& frame) {
  const auto refuse = [this](std::uint16_t code, std::string_view why) {
    fail(code, why);
    return false;
  };
  if (!frame.mask) return refuse(1002, "frame without a mask");
  if (frame.rsv != 0) return refuse(1002, "reserved bit set");
  if (!is_affordable(frame.payload_length)) return refuse(1008, "too many small frames");
  switch (frame.opcode) {
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
      control_.clear();
      return true;
    case WSLAY_CONTINUATION_FRAME:
      if (!in_message_) return refuse(1002, "continuation of nothing");
      break;
    case WSLAY_TEXT_FRAME:
    case WSLAY_BINARY_FRAME:
      if (in_message_) return refuse(1002, "message inside a message");
      in_message_ = true;
      is_text_ = frame.opcode == WSLAY_TEXT_FRAME;
      text_check_.reset();
      break;
    default:
      return refuse(1002, "unknown opcode");
  }
  if (frame.payload_length > limits_.message - message_.size()) {
    return refuse(1009, "message over the limit");
  }
  return true;
}

/// Small frames cost more than they bring: fragments of a byte, pings. A bucket of ten seconds'.
bool WebSocketSession::is_affordable(std::uint64_t payload) noexcept {
  if (limits_.small_frames_per_second == 0 || payload >= kSmallFrame) return true;
  const auto since = static_cast<std::uint64_t>(now_ms_ - std::exchange(credit_ms_, now_ms_));
  const std::uint64_t rate = limits_.small_frames_per_second;
  const std::uint64_t most = rate * kBurstSeconds * 1000;
  credit_ = since >= kBurstSeconds * 1000 ? most : std::min(most, credit_ + since * rate);
  if (credit_ < 1000) return false;
  credit_ -= 1000;
  return true;
}

void WebSocketSession::end_message(std::string_view message) {
  in_message_ = false;
  if (state_ != State::open) return;
  if (is_text_ && !text_check_.is_complete()) return fail(1007, "text that is not UTF-8");
  owner_.on_message(message, is_text_);
}

void WebSocketSession::end_control(unsigned opcode) {
  if (opcode == WSLAY_CONNECTION_CLOSE) return on_close_frame();
  if (opcode == WSLAY_PING && state_ == State::open) write_frame(WSLAY_PONG, control_, *out_);
}

void WebSocketSession::on_close_frame() {
  if (control_.empty()) {
    if (state_ == State::open) write_frame(WSLAY_CONNECTION_CLOSE, {}, *out_);
    return finish(1005, {});
  }
  if (control_.size() == 1) return fail(1002, "close with half a code");
  const auto code = static_cast<std::uint16_t>(static_cast<unsigned char>(control_[0]) << 8 |
                                               static_cast<unsigned char>(control_[1]));
  const std::string reason = control_.substr(2);
  if (!is_close_code(code)) return fail(1002, "close with a wrong code");
  if (!is_utf8(reason)) return fail(1007, "close with a reason that is not UTF-8");
  if (state_ == State::open) write_close(code, {}, *out_);
  finish(code, reason);
}

/// The client broke a rule (§7.1.7). A Close that we have sent already was the last frame.
void WebSocketSession::fail(std::uint16_t code, std::string_view why) {
  if (state_ == State::open) write_close(code, why, *out_);
  finish(code, why);
}

void WebSocketSession::finish(std::uint16_t code, std::string_view reason) {
  state_ = State::closed;
  close_code_ = code;
  close_reason_ = reason;
  let_go(message_);
  let_go(control_);
}

Result<void> WebSocketSession::send(std::string_view data, bool is_text, std::string& out) {
  if (state_ != State::open) return not_open();
  if (is_text && !is_utf8(data)) {
    return std::unexpected(Error(Errc::invalid_arg_value, "the text is not UTF-8"));
  }
  write_frame(is_text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, data, out);
  return {};
}

Result<void> WebSocketSession::ping(std::string_view data, std::string& out) {
  if (state_ != State::open) return not_open();
  if (data.size() > 125) {
    return std::unexpected(Error(Errc::out_of_range, "a ping holds 125 bytes at most"));
  }
  write_frame(WSLAY_PING, data, out);
  return {};
}

Result<void> WebSocketSession::close(std::uint16_t code, std::string_view reason,
                                     std::string& out) {
  if (state_ != State::open) return not_open();
  if (!is_close_code(code) || !is_utf8(reason)) {
    return std::unexpected(
        Error(Errc::invalid_arg_value, "no close can have this code, or this reason"));
  }
  if (reason.size() > 123) {
    return std::unexpected(Error(Errc::out_of_range, "a reason holds 123 bytes at most"));
  }
  write_close(code, reason, out);
  state_ = State::closing;
  let_go(message_);
  return {};
}

void WebSocketSession::write_close(std::uint16_t code, std::string_view reason, std::string& out) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason;
  write_frame(WSLAY_CONNECTION_CLOSE, payload, out);
}

void WebSocketSession::write_frame(unsigned opcode, std::string_view data, std::string& out) {
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = static_cast<std::uint8_t>(opcode);
  frame.payload_length = frame.data_length = data.size();
  frame.data = reinterpret_cast<const std::uint8_t*>(data.data());
  ends_.output = &out;
  wslay_frame_send(frames_.get(), &frame);  // all of it: append_output takes what it is given
}

}  // namespace pronghorn::server

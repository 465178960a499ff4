// SPDX-License-Identifier: Apache-2.0
// The server's side of one WebSocket (RFC 6455 §5 to §8) without its socket: bytes in, messages
// out. No I/O and no clock; libwslay reads and writes the frames, what they mean together is here.
#pragma once

#include <pronghorn/base/result.h>

#include "server/utf8_check.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct wslay_frame_context;
struct wslay_frame_iocb;

namespace pronghorn::server {

/// May a Close frame carry it? (RFC 6455 §7.4 and IANA's registry)
constexpr bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

class WebSocketSession {
 public:
  struct Limits {
    std::uint64_t message = 1ULL << 20;            ///< bytes of a message: more is 1009
    std::uint32_t small_frames_per_second = 1000;  ///< of under 64 bytes: more is 1008; 0: any
  };
  class Owner {
   public:
    /// The view lives during the call. The session may be closed, but not destroyed, in it.
    virtual void on_message(std::string_view data, bool is_text) = 0;

   protected:
    ~Owner() = default;
  };
  enum class State : std::uint8_t {
    open,
    closing,  ///< our Close went out, theirs is awaited; what else comes is dropped
    closed,   ///< nothing is read or sent any more: end the connection when the output is gone
  };

  /// `owner` must outlive the session.
  WebSocketSession(const Limits& limits, Owner& owner);
  ~WebSocketSession();
  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;

  /// Received bytes. Pongs and a Close are appended to `out`; so is what on_message() sends with
  /// the same string. `now_ms` is of a monotonic clock.
  void on_bytes(std::string_view bytes, std::int64_t now_ms, std::string& out);
  /// The connection is gone: 1006 unless a Close was received.
  void on_gone();

  /// Appends a message to `out`. @errors EPIPE unless the session is open; Errc::invalid_arg_value
  /// for a text that is not UTF-8
  Result<void> send(std::string_view data, bool is_text, std::string& out);
  /// @errors as send(); Errc::out_of_range over 125 bytes
  Result<void> ping(std::string_view data, std::string& out);
  /// Begins the closing handshake. @errors EPIPE unless the session is open;
  /// Errc::invalid_arg_value for a code that cannot be sent, or a reason that is not UTF-8;
  /// Errc::out_of_range for a reason over 123 bytes
  Result<void> close(std::uint16_t code, std::string_view reason, std::string& out);

  State state() const noexcept { return state_; }
  /// Once closed: the client's code (1005 when its Close had none), ours when it broke the protocol
  /// or a limit, 1006 when the connection went without a Close.
  std::uint16_t close_code() const noexcept { return close_code_; }
  /// The client's, or what it did wrong.
  const std::string& close_reason() const noexcept { return close_reason_; }

  /// What wslay reads from and writes to, of the call in progress.
  struct Ends {
    std::string_view input;
    std::string* output = nullptr;
  };

 private:
  struct Free {
    void operator()(wslay_frame_context* context) const noexcept;
  };
  void on_piece(const wslay_frame_iocb& piece);
  bool begin_frame(const wslay_frame_iocb& frame);
  void look_at_header(std::string_view bytes);
  bool is_affordable(std::uint64_t payload) noexcept;
  void on_message_data(std::string_view data, bool is_whole_message);
  void end_frame(const wslay_frame_iocb& frame, std::string_view data, bool is_whole);
  void end_message(std::string_view message);
  void end_control(unsigned opcode);
  void on_close_frame();
  void fail(std::uint16_t code, std::string_view why);
  void finish(std::uint16_t code, std::string_view reason);
  void write_frame(unsigned opcode, std::string_view data, std::string& out);
  void write_close(std::uint16_t code, std::string_view reason, std::string& out);

  Limits limits_;
  Owner& owner_;
  std::unique_ptr<wslay_frame_context, Free> frames_;
  Ends ends_;
  std::string* out_ = nullptr;    // of the call in progress
  std::string message_;           // the fragments so far
  std::string control_;           // the payload of a control frame so far
  std::uint64_t frame_left_ = 0;  // bytes of the current frame's payload
  Utf8Check text_check_;
  std::int64_t now_ms_ = 0;
  std::int64_t credit_ms_ = 0;  // since when credit has not been added
  std::uint64_t credit_;        // thousandths of small frames that may still come
  State state_ = State::open;
  bool in_frame_ = false;
  static constexpr std::size_t kLongestHeader = 14;
  std::array<char, kLongestHeader> header_{};  // of a frame whose payload has not begun
  std::uint8_t header_size_ = 0;
  std::uint64_t framed_ = 0;  // of the call in progress: bytes of frames that were told
  bool in_message_ = false;   // a message has begun and is not over
  bool is_text_ = false;
  std::uint16_t close_code_ = 1006;
  std::string close_reason_;
};

}  // namespace pronghorn::server

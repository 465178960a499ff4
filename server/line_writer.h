// SPDX-License-Identifier: Apache-2.0
// Writes one line of the access log into memory that has room for it. What a client chose goes
// through escaped() or json(), never through text().
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pronghorn::server {

class LineWriter {
 public:
  /// The caller sees to it that what is written fits: escaped() and json() say how much they take.
  explicit LineWriter(char* at) noexcept : at_(at) {}

  void text(std::string_view trusted) noexcept {
    copy(trusted);
    at_ += trusted.size();
  }
  /// The first `size` bytes of a text that is kPadding longer than that; bytes behind them are
  /// overwritten, fewer than kPadding.
  static constexpr std::size_t kPadding = 32;
  void padded(const char* trusted, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; i += kPadding) std::memcpy(at_ + i, trusted + i, kPadding);
    at_ += size;
  }
  void letter(char trusted) noexcept { *at_++ = trusted; }
  void number(std::integral auto value) noexcept {
    if (static_cast<std::uint64_t>(value) < 1000) return small(static_cast<unsigned>(value));
    at_ = std::to_chars(at_, at_ + 24, value).ptr;
  }
  /// With leading zeros.
  void digits(unsigned value, int count) noexcept {
    for (int i = count - 1; i >= 0; --i, value /= 10) at_[i] = static_cast<char>('0' + value % 10);
    at_ += count;
  }
  /// Printable ASCII; quotes, backslashes, control bytes and bytes from 0x80 on as \xHH (a terminal
  /// may take 0x9b, or its UTF-8 form, for the start of a control sequence). At most `room` bytes,
  /// which are at least 3: a longer text is cut and ends in "...".
  void escaped(std::string_view text, std::size_t room) noexcept {
    // Nearly always: all of it is safe and fits.
    if (text.size() <= room - kCut.size() && is_safe(text)) return this->text(text);
    escape(text, room);
  }
  /// A JSON string in quotes, ASCII: other characters as \uHHHH, bytes that are no UTF-8 as \u00HH.
  /// At most `room` bytes, which are at least 5.
  void json(std::string_view text, std::size_t room) noexcept;

  char* at() const noexcept { return at_; }

 private:
  static constexpr std::string_view kCut = "...";
  static bool is_safe(std::string_view text) noexcept;
  void escape(std::string_view text, std::size_t room) noexcept;
  // Most texts are short: a call of memcpy costs more than these.
  void copy(std::string_view from) noexcept {
    if (from.size() > 32) {
      std::memcpy(at_, from.data(), from.size());
    } else if (from.size() > 16) {
      ends<16>(from);
    } else if (from.size() >= 8) {
      ends<8>(from);
    } else if (from.size() >= 4) {
      ends<4>(from);
    } else {
      for (std::size_t i = 0; i < from.size(); ++i) at_[i] = from[i];
    }
  }
  // The first N bytes and the last N, which may be some of the same.
  template <std::size_t N>
  void ends(std::string_view from) noexcept {
    const std::size_t last = from.size() - N;
    std::memcpy(at_, from.data(), N);
    std::memcpy(at_ + last, from.data() + last, N);
  }
  void small(unsigned value) noexcept {
    if (value >= 100) *at_++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *at_++ = static_cast<char>('0' + value / 10 % 10);
    *at_++ = static_cast<char>('0' + value % 10);
  }

  char* at_;
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// Writes one line of the access log into memory that has room for it. What a client chose goes
// through escaped() or json(), never through text().
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string_view>

namespace pronghorn::server {

class LineWriter {
 public:
  /// The caller sees to it that what is written fits: escaped() and json() say how much they take.
  explicit LineWriter(char* at) noexcept : at_(at) {}

  void text(std::string_view trusted) noexcept { at_ += trusted.copy(at_, trusted.size()); }
  void number(std::integral auto value) noexcept { at_ = std::to_chars(at_, at_ + 24, value).ptr; }
  /// With leading zeros.
  void digits(unsigned value, int count) noexcept {
    for (int i = count - 1; i >= 0; --i, value /= 10) at_[i] = static_cast<char>('0' + value % 10);
    at_ += count;
  }
  /// Printable ASCII; quotes, backslashes, control bytes and bytes from 0x80 on as \xHH (a terminal
  /// may take 0x9b, or its UTF-8 form, for the start of a control sequence). At most `room` bytes,
  /// which are at least 3: a longer text is cut and ends in "...".
  void escaped(std::string_view text, std::size_t room) noexcept;
  /// A JSON string in quotes, ASCII: other characters as \uHHHH, bytes that are no UTF-8 as \u00HH.
  /// At most `room` bytes, which are at least 5.
  void json(std::string_view text, std::size_t room) noexcept;

  char* at() const noexcept { return at_; }

 private:
  char* at_;
};

}  // namespace pronghorn::server

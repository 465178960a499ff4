// SPDX-License-Identifier: Apache-2.0
// The bytes of JSON strings, eight at a time. For the reader and the writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace pronghorn::ipc {

/// Length of the UTF-8 character that begins at `at`; 0 when there is none (RFC 3629 table).
inline std::size_t utf8_length(const char* at, const char* end) noexcept {
  auto byte = [at](int i) { return static_cast<unsigned char>(at[i]); };
  auto follows = [&](int i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  const auto room = end - at;
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead < 0xE0) return room >= 2 && follows(1, 0x80, 0xBF) ? 2 : 0;
  if (lead < 0xF0) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no surrogates
    return room >= 3 && follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
  return room >= 4 && follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4
                                                                                                : 0;
}

/// The first byte from `at` on that cannot stand as itself in a JSON string: a quote, a backslash,
/// a control character, or what is no UTF-8; `end` when all can.
inline const char* skip_plain(const char* at, const char* end) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x80 * ones;
  while (at != end) {
    // The top bit of a byte of the sum: it is no ASCII, a quote, a backslash or below a space. A
    // borrow may mark one too many, never too few.
    for (std::uint64_t word = 0; end - at >= 8; at += 8) {
      std::memcpy(&word, at, sizeof word);
      const std::uint64_t quote = (word ^ '"' * ones) - ones;
      const std::uint64_t backslash = (word ^ '\\' * ones) - ones;
      const std::uint64_t control = word - ' ' * ones;
      if (((word | quote | backslash | control) & tops) != 0) break;
    }
    for (int i = 0; i < 8 && at != end; ++i) {
      const auto c = static_cast<unsigned char>(*at);
      if (c == '"' || c == '\\' || c < ' ') return at;
      const std::size_t length = c < 0x80 ? 1 : utf8_length(at, end);
      if (length == 0) return at;
      at += length;
    }
  }
  return at;
}

inline void append_utf8(std::string& out, std::uint32_t point) {
  auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  auto tail = [&](int shift) { put(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | (point >> 6));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    tail(6);
  } else {
    put(0xF0 | (point >> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}

}  // namespace pronghorn::ipc

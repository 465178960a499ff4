// SPDX-License-Identifier: Apache-2.0
// The bytes of JSON strings, eight at a time. For the reader and the writer.
#pragma once

#include "base/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace pronghorn::ipc {

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
      const Utf8Piece piece = utf8_piece(at, end);
      if (!piece.is_whole) return at;
      at += piece.length;
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

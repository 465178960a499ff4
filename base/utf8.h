// SPDX-License-Identifier: Apache-2.0
// Which bytes make a character of UTF-8. Used by the channel's JSON and by what exec decodes.
#pragma once

#include <cstddef>
#include <string_view>

namespace pronghorn {

/// The longest beginning of a character that stands somewhere (Unicode 15, table 3-7): what a
/// decoder replaces by one U+FFFD when it is not whole.
struct Utf8Piece {
  std::size_t length = 1;  ///< bytes
  bool is_whole = false;   ///< a character
  bool is_cut = false;     ///< not whole, and more bytes could make it so
};

/// What begins at `at`, which must be before `end`.
constexpr Utf8Piece utf8_piece(const char* at, const char* end) noexcept {
  const auto lead = static_cast<unsigned char>(*at);
  if (lead < 0x80) return {1, true, false};
  if (lead < 0xC2 || lead > 0xF4) return {1, false, false};
  const std::size_t wanted = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range shuts out longer forms, surrogates and what is beyond U+10FFFF.
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  std::size_t length = 1;
  for (; length < wanted && at + length != end; ++length) {
    const auto byte = static_cast<unsigned char>(at[length]);
    if (byte < low || byte > high) break;
    low = 0x80;
    high = 0xBF;
  }
  return {length, length == wanted, length != wanted && at + length == end};
}

/// Whether all of `text` is UTF-8.
constexpr bool is_utf8(std::string_view text) noexcept {
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const Utf8Piece piece = utf8_piece(at, end);
    if (!piece.is_whole) return false;
    at += piece.length;
  }
  return true;
}

}  // namespace pronghorn

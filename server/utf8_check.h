// SPDX-License-Identifier: Apache-2.0
// UTF-8 that comes in pieces: is what has come so far the beginning of a text?
#pragma once

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pronghorn::server {

class Utf8Check {
 public:
  /// @returns false when no text begins so; nothing may be fed after that
  bool feed(std::string_view piece) noexcept {
    const char* at = piece.data();
    const char* end = at + piece.size();
    while (cut_ > 0 && at != end) {
      begun_[cut_++] = *at++;
      const Utf8Piece character = utf8_piece(begun_.data(), begun_.data() + cut_);
      if (character.is_whole) cut_ = 0;
      if (!character.is_whole && !character.is_cut) return false;
    }
    while (at != end) {
      at = skip_ascii(at, end);
      if (at == end) break;
      const Utf8Piece character = utf8_piece(at, end);
      if (character.is_cut) {
        cut_ = static_cast<std::size_t>(end - at);
        std::copy(at, end, begun_.begin());
        return true;
      }
      if (!character.is_whole) return false;
      at += character.length;
    }
    return true;
  }
  /// No character is cut off at the end.
  bool is_complete() const noexcept { return cut_ == 0; }
  void reset() noexcept { cut_ = 0; }

 private:
  static const char* skip_ascii(const char* at, const char* end) noexcept {
    for (std::uint64_t eight = 0; end - at >= 8; at += 8) {
      std::memcpy(&eight, at, sizeof eight);
      if ((eight & 0x8080808080808080U) != 0) break;
    }
    while (at != end && static_cast<unsigned char>(*at) < 0x80) ++at;
    return at;
  }

  std::array<char, 4> begun_{};
  std::size_t cut_ = 0;  // bytes of a character whose rest is still to come
};

}  // namespace pronghorn::server

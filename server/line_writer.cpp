// SPDX-License-Identifier: Apache-2.0
#include "server/line_writer.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>

namespace pronghorn::server {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kCut = "...";

constexpr auto kSafe = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

bool is_safe(char c) noexcept { return kSafe[static_cast<unsigned char>(c)]; }

std::size_t safe_length(std::string_view text) noexcept {
  std::size_t n = 0;
  while (n < text.size() && is_safe(text[n])) ++n;
  return n;
}

// Copies the safe beginning of `text`, at most to `limit`, and takes it off. False: there was no
// room for all of it.
bool take_safe(std::string_view& text, char*& at, const char* limit) noexcept {
  const std::size_t safe = safe_length(text);
  const std::size_t fits = std::min(safe, static_cast<std::size_t>(limit - at));
  at += text.copy(at, fits);
  text.remove_prefix(fits);
  return fits == safe;
}

char* put_unit(char* at, unsigned unit) noexcept {
  *at++ = '\\';
  *at++ = 'u';
  for (int shift = 12; shift >= 0; shift -= 4) *at++ = kHex[(unit >> shift) & 15];
  return at;
}

// What stands at the front of `text`, as a code point; taken off. A byte that is no UTF-8 is
// itself.
unsigned take_character(std::string_view& text) noexcept {
  const Utf8Piece piece = utf8_piece(text.data(), text.data() + text.size());
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned code = byte(0);
  std::size_t length = 1;
  if (piece.is_whole && piece.length > 1) {
    length = piece.length;
    code &= 0x7fU >> length;
    for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3fU);
  }
  text.remove_prefix(length);
  return code;
}

}  // namespace

void LineWriter::escaped(std::string_view text, std::size_t room) noexcept {
  // Nearly always: all of it is safe and fits.
  if (text.size() + kCut.size() <= room && safe_length(text) == text.size()) {
    return this->text(text);
  }
  const char* limit = at_ + room - kCut.size();
  while (take_safe(text, at_, limit)) {
    if (text.empty()) return;
    if (limit - at_ < 4) break;
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    *at_++ = '\\';
    *at_++ = 'x';
    *at_++ = kHex[byte >> 4];
    *at_++ = kHex[byte & 15];
  }
  this->text(kCut);
}

void LineWriter::json(std::string_view text, std::size_t room) noexcept {
  constexpr std::ptrdiff_t kLongest = 12;  // a surrogate pair
  const char* limit = at_ + room - kCut.size() - 1;
  *at_++ = '"';
  while (take_safe(text, at_, limit) && !text.empty()) {
    if (limit - at_ < kLongest) break;
    unsigned code = take_character(text);
    if (code == '"' || code == '\\') {
      *at_++ = '\\';
      *at_++ = static_cast<char>(code);
    } else if (code < 0x10000) {
      at_ = put_unit(at_, code);
    } else {
      code -= 0x10000;
      at_ = put_unit(put_unit(at_, 0xd800 | code >> 10), 0xdc00 | (code & 0x3ff));
    }
  }
  if (!text.empty()) this->text(kCut);
  *at_++ = '"';
}

}  // namespace pronghorn::server

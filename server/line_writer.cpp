// SPDX-License-Identifier: Apache-2.0
#include "server/line_writer.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pronghorn::server {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

constexpr auto kSafe = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
  return table;
}();

bool is_safe_byte(char c) noexcept { return kSafe[static_cast<unsigned char>(c)]; }

// Sixteen at once; the compilers make of it what the processor has.
using Sixteen = signed char __attribute__((vector_size(16)));
using Halves = std::array<std::uint64_t, 2>;

// In which of them something is that is not safe: a bit or more of each such byte.
Sixteen unsafe(Halves halves) noexcept {
  constexpr signed char kSpace = 0x20, kDelete = 0x7f, kQuote = '"', kBackslash = '\\';
  const auto bytes = std::bit_cast<Sixteen>(halves);
  // Signed: what is from 0x80 on is below the space as well.
  return (bytes < kSpace) | (bytes == kDelete) | (bytes == kQuote) | (bytes == kBackslash);
}

bool is_none(Sixteen found) noexcept {
  const auto halves = std::bit_cast<Halves>(found);
  return (halves[0] | halves[1]) == 0;
}

template <class T>
T load(const char* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::size_t safe_length(std::string_view text) noexcept {
  std::size_t n = 0;
  while (text.size() - n >= 16 && is_none(unsafe(load<Halves>(text.data() + n)))) n += 16;
  while (n < text.size() && is_safe_byte(text[n])) ++n;
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

// A text's end may be looked at twice.
bool LineWriter::is_safe(std::string_view text) noexcept {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (text.size() >= 16) {
    Sixteen found = unsafe(load<Halves>(end - 16));
    for (const char* at = begin; end - at > 16; at += 16) found |= unsafe(load<Halves>(at));
    return is_none(found);
  }
  if (text.size() >= 8) {
    return is_none(unsafe({load<std::uint64_t>(begin), load<std::uint64_t>(end - 8)}));
  }
  for (const char c : text) {
    if (!is_safe_byte(c)) return false;
  }
  return true;
}

void LineWriter::escape(std::string_view text, std::size_t room) noexcept {
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

// SPDX-License-Identifier: Apache-2.0
// Character classes and small comparisons of HTTP's grammar (RFC 9110 §5.6, RFC 3986).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pronghorn::server {

enum CharClass : std::uint8_t {
  kToken = 1,    // tchar
  kPath = 2,     // pchar, '/', and '[' ']' which browsers send bare
  kQuery = 4,    // of a query: what the URL standard lets browsers send bare is taken as well
  kRegName = 8,  // reg-name without ',' and '%' (host.cpp)
  kValue = 16,   // field-vchar, SP, HTAB, obs-text
  kHexDigit = 32,
};

namespace detail {
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  auto mark = [&](std::string_view chars, int bits) {
    for (char c : chars) table[static_cast<unsigned char>(c)] |= static_cast<std::uint8_t>(bits);
  };
  const int everywhere = kToken | kPath | kQuery | kRegName;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<unsigned>(c)] |= everywhere | kHexDigit;
  for (int c = 'a'; c <= 'z'; ++c) {
    table[static_cast<unsigned>(c)] |= everywhere;
    table[static_cast<unsigned>(c - 32)] |= everywhere;
  }
  mark("abcdefABCDEF", kHexDigit);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+;=", kPath | kQuery | kRegName);
  mark("%,:@/[]", kPath | kQuery);
  mark("?{}|\\^`", kQuery);
  for (int c = 0x20; c < 0x100; ++c) table[static_cast<unsigned>(c)] |= kValue;
  table[0x7f] &= static_cast<std::uint8_t>(~kValue);
  table['\t'] |= kValue;
  return table;
}
inline constexpr auto kClasses = make_classes();
}  // namespace detail

constexpr bool is_class(char c, CharClass wanted) noexcept {
  return (detail::kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}
constexpr bool all_class(std::string_view text, CharClass wanted) noexcept {
  for (char c : text) {
    if (!is_class(c, wanted)) return false;
  }
  return true;
}
constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && all_class(text, kToken);
}

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
/// Equal without regard to ASCII case.
constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// Whether a field name (a token, so no control byte) is `lower`, a lower-case name, in any case.
/// Setting one bit makes upper case lower and changes no other byte of a token into a letter or
/// '-'.
constexpr bool is_field(std::string_view name, std::string_view lower) noexcept {
  if (name.size() != lower.size()) return false;
  unsigned char differs = 0;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    differs |= static_cast<unsigned char>((name[i] | 0x20) ^ lower[i]);
  }
  return differs == 0;
}

constexpr bool is_ows(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr std::string_view trim_ows(std::string_view text) noexcept {
  while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes the next element off a comma-separated list (RFC 9110 §5.6.1), trimmed; it may be empty.
constexpr std::string_view next_element(std::string_view& list) noexcept {
  auto comma = list.find(',');
  std::string_view element = list.substr(0, comma);
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  return trim_ows(element);
}

/// Value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace pronghorn::server

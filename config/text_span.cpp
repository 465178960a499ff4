// SPDX-License-Identifier: Apache-2.0
#include "config/text_span.h"

#include "config/syntax.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace pronghorn::config {
namespace {

// TOML 1.0, "String": what a basic string's escape stands for. Takes it off `raw`.
std::string unescape(std::string_view& raw) {
  constexpr std::string_view kLetters = "btnfre\"\\";
  constexpr std::string_view kMeanings = "\b\t\n\f\r\x1b\"\\";
  const char letter = raw.size() < 2 ? '\0' : raw[1];
  raw.remove_prefix(std::min<std::size_t>(2, raw.size()));
  if (const auto found = kLetters.find(letter); found != std::string_view::npos) {
    return std::string(1, kMeanings[found]);
  }
  const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  unsigned code = 0;
  std::from_chars(raw.data(), raw.data() + std::min(digits, raw.size()), code, 16);
  raw.remove_prefix(std::min(digits, raw.size()));
  // Only its length counts: longer characters are compared below, and no format has them.
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  auto continuation = [code](unsigned shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3f));
  };
  if (code < 0x800) return {static_cast<char>(0xc0 | (code >> 6)), continuation(0)};
  if (code < 0x10000) {
    return {static_cast<char>(0xe0 | (code >> 12)), continuation(6), continuation(0)};
  }
  return {static_cast<char>(0xf0 | (code >> 18)), continuation(12), continuation(6),
          continuation(0)};
}

}  // namespace

std::optional<Span> span_in_text(const Span& value, std::string_view line, std::string_view text,
                                 std::size_t at, std::size_t length) {
  const std::string quoted = code_points(line, value.column, value.end_column);
  if (quoted.size() < 2 || quoted.front() != quoted.back()) return std::nullopt;
  const char quote = quoted.front();
  if ((quote != '"' && quote != '\'') || quoted.starts_with(std::string(3, quote))) {
    return std::nullopt;
  }
  std::string_view raw = std::string_view(quoted).substr(1, quoted.size() - 2);
  std::string decoded;
  std::vector<int> columns;  // of each byte of `decoded`, and of the end
  int column = value.column + 1;
  while (!raw.empty()) {
    const std::size_t before = raw.size();
    std::string piece;
    if (quote == '"' && raw.front() == '\\') {
      piece = unescape(raw);
      columns.insert(columns.end(), piece.size(), column);
      column += static_cast<int>(before - raw.size());
    } else {
      do {
        piece += raw.front();
        raw.remove_prefix(1);
      } while (!raw.empty() && (static_cast<unsigned char>(raw.front()) & 0xc0) == 0x80);
      columns.insert(columns.end(), piece.size(), column++);
    }
    decoded += piece;
  }
  columns.push_back(column);
  if (decoded != text || at >= columns.size()) return std::nullopt;
  const int last = columns[std::min(at + length, columns.size() - 1)];
  return Span{value.line, columns[at], std::max(last, columns[at] + 1)};
}

}  // namespace pronghorn::config

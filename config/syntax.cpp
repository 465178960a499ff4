// SPDX-License-Identifier: Apache-2.0
#include "config/syntax.h"

#include "config/suggest.h"
#include "config/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace pronghorn::config {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

int column_of(std::string_view line, std::size_t byte) {
  const std::string_view before = line.substr(0, byte);
  return 1 + static_cast<int>(
                 std::ranges::count_if(before, [](char c) { return !is_continuation(c); }));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// One value as it was written, from `begin` in its line.
struct Token {
  std::size_t begin = 0;
  std::string_view text;
};

bool ends_string(std::string_view text) {
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      return true;
    }
  }
  return false;
}

/// Whether TOML could read it without quotes: a number, a date or a boolean.
bool needs_no_quotes(std::string_view text) {
  if (text == "true" || text == "false") return true;
  return text.find_first_not_of("0123456789+-_.:xobaebcdefABCDEFTZinf") == std::string_view::npos &&
         (std::ranges::count(text, '.') <= 1 &&
          text.find_first_of("0123456789") != std::string_view::npos);
}

std::optional<SyntaxError> explain_token(int line_number, std::string_view line,
                                         const Token& token) {
  const int column = column_of(line, token.begin);
  const int end = column_of(line, token.begin + token.text.size());
  const char first = token.text.front();
  if (first == '"' || first == '\'') {
    if (token.text.starts_with("\"\"\"") || token.text.starts_with("'''")) return std::nullopt;
    if (ends_string(token.text)) return std::nullopt;
    return SyntaxError{{line_number, column, column + 1},
                       fmt::format("this string does not end; add a {}", first),
                       line_number};
  }
  if (first == '[' || first == '{') return std::nullopt;
  const std::string quoted = "\"" + std::string(token.text) + "\"";
  if (parse_size(token.text) || parse_duration(token.text)) {
    if (parse_count(token.text)) return std::nullopt;
    return SyntaxError{
        {line_number, column, end}, "a value with a unit needs quotes: " + quoted, line_number};
  }
  // A port in an address looks like a time to the parser, and a version like a number.
  const bool is_address = token.text.find(':') != std::string_view::npos &&
                          token.text.find('.') != std::string_view::npos;
  if (needs_no_quotes(token.text) && !is_address) return std::nullopt;
  if (token.text.find_first_of("\"'=") != std::string_view::npos) return std::nullopt;
  return SyntaxError{{line_number, column, end}, "text needs quotes: " + quoted, line_number};
}

Token token_at(std::string_view line, std::size_t begin, std::string_view ends) {
  std::string_view rest = line.substr(begin);
  if (rest.starts_with('"') || rest.starts_with('\'')) return {begin, rest};
  return {begin, trimmed(rest.substr(0, rest.find_first_of(ends)))};
}

/// `key = value` or, inside brackets of one line, each of its elements.
std::optional<SyntaxError> explain_value(int line_number, std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos || trimmed(line).starts_with('#')) return std::nullopt;
  auto begin = line.find_first_not_of(" \t", equals + 1);
  if (begin == std::string_view::npos || line[begin] == '#') {
    const int column = column_of(line, equals);
    return SyntaxError{
        {line_number, column, column + 1}, "there is no value after '='", line_number};
  }
  if (line[begin] != '[') return explain_token(line_number, line, token_at(line, begin, "#"));
  ++begin;
  while ((begin = line.find_first_not_of(" \t,", begin)) != std::string_view::npos) {
    if (line[begin] == ']' || line[begin] == '#') return std::nullopt;
    const Token token = token_at(line, begin, ",]#");
    if (token.text.empty()) return std::nullopt;
    if (token.text.front() != '"' && token.text.front() != '\'') {
      if (auto error = explain_token(line_number, line, token)) return error;
      begin += token.text.size();
      continue;
    }
    if (auto error = explain_token(line_number, line, token)) return error;
    begin = line.find(line[begin], begin + 1);
    if (begin != std::string_view::npos) ++begin;
  }
  return std::nullopt;
}

std::string plain_words(std::string_view words) {
  std::string text(words);
  if (text.find("expected '=', saw ':'") != std::string::npos)
    return "a key and its value are joined by '=', not ':'";
  if (const auto at = text.find("cannot redefine existing"); at != std::string::npos) {
    const auto open = text.find('\'', at);
    const auto close = open == std::string::npos ? open : text.find('\'', open + 1);
    if (close != std::string::npos)
      return text.substr(open, close - open + 1) + " is here a second time";
  }
  if (text.starts_with("Error while parsing "))
    text.erase(0, text.find(": ") == std::string::npos ? 0 : text.find(": ") + 2);
  // toml++ writes a newline as an escape: "expected ']', saw '\n'".
  if (const auto end = text.find(", saw '\\n'"); end != std::string::npos) {
    text = text.substr(0, end) + ", but the line ends here";
  }
  if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z') text[0] = lower(text.substr(0, 1))[0];
  return text;
}

}  // namespace

std::string code_points(std::string_view line, int first, int end) {
  std::string result;
  int column = 0;
  for (const char c : line) {
    if (!is_continuation(c)) ++column;
    if (column >= first && column < end) result += c;
  }
  return result;
}

SyntaxError explain_syntax(const std::vector<std::string>& lines, int line, int column,
                           std::string_view parsers_words) {
  // At the end of the file the parser may stand on a line that is not there.
  line = std::clamp(line, 1, static_cast<int>(lines.size()));
  const std::string& text = lines[static_cast<std::size_t>(line - 1)];
  const bool is_repeated = parsers_words.find("cannot redefine") != std::string_view::npos;
  if (!is_repeated) {
    if (auto explained = explain_value(line, text)) return *explained;
  }
  column = std::clamp(column, 1, column_of(text, text.size()));
  if (is_repeated) {
    const auto first = text.find_first_not_of(" \t[");
    if (first != std::string::npos) {
      column = column_of(text, first);
      const auto end = text.find_first_of(" \t=]", first);
      return {{line, column, column_of(text, end == std::string::npos ? text.size() : end)},
              plain_words(parsers_words),
              line};
    }
  }
  return {{line, column, column + 1}, plain_words(parsers_words), line};
}

}  // namespace pronghorn::config

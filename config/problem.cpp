// SPDX-License-Identifier: Apache-2.0
#include "config/problem.h"

#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace pronghorn::config {
namespace {

constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kRed = "\033[1;31m";
constexpr std::string_view kYellow = "\033[1;33m";
constexpr std::string_view kReset = "\033[0m";

std::string painted(std::string_view text, std::string_view paint, bool colour) {
  return colour ? fmt::format("{}{}{}", paint, text, kReset) : std::string(text);
}

std::string caret_line(const Problem& problem) {
  std::string result;
  int column = 1;
  for (const char c : problem.source_line) {
    if (column >= problem.span.column) break;
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;  // inside a code point
    result += c == '\t' ? '\t' : ' ';
    ++column;
  }
  result += '^';
  const int width = problem.span.end_column - problem.span.column;
  if (width > 1) result.append(static_cast<std::size_t>(width - 1), '~');
  return result;
}

}  // namespace

Problem make_problem(const Complaint& complaint) {
  Problem problem;
  problem.code = complaint.code;
  problem.message = complaint.message;
  problem.suggestion = complaint.suggestion;
  return problem;
}

std::string printable(std::string_view text) {
  std::string result(text);
  const bool keeps_high_bytes = is_utf8(text);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto byte = static_cast<unsigned char>(result[i]);
    // U+0080 to U+009F are C2 80 to C2 9F in UTF-8, and some terminals obey them (ECMA-48 5.3).
    const bool is_c1 =
        byte == 0xc2 && i + 1 < result.size() && static_cast<unsigned char>(result[i + 1]) < 0xa0;
    if (is_c1) result.replace(i, 2, "?");
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f || (byte >= 0x80 && !keeps_high_bytes)) {
      result[i] = '?';
    }
  }
  return result;
}

std::string render(const Problem& problem, std::string_view program, bool colour) {
  const bool is_error = problem.severity == Problem::Severity::error;
  const std::string severity =
      painted(is_error ? "error:" : "warning:", is_error ? kRed : kYellow, colour);
  const std::string message = printable(problem.message);
  const std::string suggestion = printable(problem.suggestion);
  if (problem.span.line == 0) {
    const std::string place = problem.file.empty() ? std::string(program) : problem.file;
    std::string result =
        fmt::format("{} {} {}\n", painted(place + ":", kBold, colour), severity, message);
    if (!problem.fact.empty()) result += fmt::format("  {}\n", printable(problem.fact));
    if (!suggestion.empty()) result += fmt::format("  did you mean '{}'?\n", suggestion);
    return result;
  }
  const std::string place =
      fmt::format("{}:{}:{}:", printable(problem.file), problem.span.line, problem.span.column);
  std::string result = fmt::format("{} {} {}", painted(place, kBold, colour), severity, message);
  if (!suggestion.empty()) result += fmt::format("; did you mean '{}'?", suggestion);
  result += fmt::format("\n{:>5} | {}\n", problem.span.line, printable(problem.source_line));
  result +=
      fmt::format("      | {}\n", painted(caret_line(problem), is_error ? kRed : kYellow, colour));
  if (!problem.fact.empty()) result += fmt::format("  {}\n", printable(problem.fact));
  return result;
}

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
#include "base/log_format.h"

#include "base/nonblocking_writer.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ctime>

namespace pronghorn::log {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";

std::string_view colour_of(Level level) noexcept {
  switch (level) {
    case Level::trace:
    case Level::debug:
      return kDim;
    case Level::info:
      return "";
    case Level::notice:
      return "\x1b[32m";
    case Level::warn:
      return "\x1b[33m";
    case Level::error:
    case Level::critical:
      break;
  }
  return "\x1b[31m";
}

// sd-daemon(3)
char journal_priority(Level level) noexcept {
  static constexpr std::string_view kPriorities = "7765432";
  return kPriorities[static_cast<std::size_t>(level)];
}

std::string time_text(std::chrono::system_clock::time_point time, bool utc) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  std::time_t seconds = ms / 1000;
  std::tm tm{};
  if (utc) {
    ::gmtime_r(&seconds, &tm);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ms % 1000);
  }
  ::localtime_r(&seconds, &tm);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", tm.tm_hour, tm.tm_min, tm.tm_sec, ms % 1000);
}

// Whether `value` stands in `sentence` as a word: "4790" is not said by "24790".
bool says(std::string_view sentence, std::string_view value) noexcept {
  auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  if (value.empty()) return false;
  for (std::size_t at = sentence.find(value); at != sentence.npos;
       at = sentence.find(value, at + 1)) {
    std::size_t end = at + value.size();
    bool starts = at == 0 || !is_word(sentence[at - 1]) || !is_word(value.front());
    bool ends = end == sentence.size() || !is_word(sentence[end]) || !is_word(value.back());
    if (starts && ends) return true;
  }
  return false;
}

void append_value(std::string& out, std::string_view value) {
  auto needs_quotes = [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '"' || c == '=' || c == '\\';
  };
  bool quoted = value.empty() || std::ranges::any_of(value, needs_quotes);
  if (quoted) out.push_back('"');
  append_escaped(out, value, "\"\\");
  if (quoted) out.push_back('"');
}

std::string fields_text(const Fields& fields, std::string_view said) {
  std::string out;
  for (const Field& field : fields) {
    if (says(said, field.value)) continue;
    if (!out.empty()) out.push_back(' ');
    out.append(field.key).push_back('=');
    append_value(out, field.value);
  }
  return out;
}

// Ends a line, cut to what a pipe takes whole; never inside a UTF-8 sequence.
std::string finish(std::string line, bool colour) {
  static constexpr std::string_view kCut = "…";
  std::size_t tail = kCut.size() + (colour ? kReset.size() : 0) + 1;
  if (line.size() + 1 > NonblockingWriter::kMaxLine) {
    std::size_t end = NonblockingWriter::kMaxLine - tail;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line.resize(end);
    line.append(kCut);
    if (colour) line.append(kReset);
  }
  line.push_back('\n');
  return line;
}

std::string file_line(const Record& r, std::string_view who) {
  std::string line = fmt::format("{} {} {} ", time_text(r.time, true), level_name(r.level), who);
  append_escaped(line, r.event);
  if (auto fields = fields_text(r.fields, {}); !fields.empty()) line.append(" ").append(fields);
  return finish(std::move(line), false);
}

}  // namespace

std::vector<std::string> render(const Record& r, Form form, bool colour, std::string_view who) {
  if (form == Form::file) return {file_line(r, who)};
  bool terminal = form == Form::terminal;
  colour = colour && terminal;
  std::string prefix;
  if (terminal) {
    std::string_view tint = colour ? colour_of(r.level) : "";
    prefix = fmt::format("{} {}{:<5}{} ", time_text(r.time, false), tint, level_name(r.level),
                         tint.empty() ? "" : kReset);
  } else {
    prefix = fmt::format("<{}>", journal_priority(r.level));
  }
  if (who != "master" && !who.empty()) prefix.append(who).append(": ");

  std::string_view sentence = r.sentence.empty() ? r.event : r.sentence;
  std::string fields = fields_text(r.fields, sentence);
  if (!fields.empty()) {
    fields = fmt::format("{}{}{}{}", terminal ? "  " : " ", colour ? kDim : "", fields,
                         colour ? kReset : "");
  }
  std::vector<std::string> lines;
  for (std::string_view rest = sentence; !rest.empty() || lines.empty();) {
    std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line = prefix;
    append_escaped(line, rest.substr(0, end));
    if (lines.empty()) line.append(fields);
    lines.push_back(finish(std::move(line), colour));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

}  // namespace pronghorn::log

// SPDX-License-Identifier: Apache-2.0
#include "config/access_log_format.h"

#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace pronghorn::config {
namespace {

using Kind = LogPiece::Kind;

constexpr std::string_view kCommon = R"(%h %l %u %t "%r" %>s %B)";
constexpr std::string_view kCombined = R"(%h %l %u %t "%r" %>s %B "%{Referer}i" "%{User-Agent}i")";

struct Letter {
  char letter;
  Kind kind;
};
// Those that stand alone.
constexpr std::array kLetters = {
    Letter{'h', Kind::client},      Letter{'a', Kind::client},
    Letter{'l', Kind::nobody},      Letter{'u', Kind::nobody},
    Letter{'t', Kind::time_clf},    Letter{'r', Kind::request_line},
    Letter{'m', Kind::method},      Letter{'U', Kind::path},
    Letter{'q', Kind::query},       Letter{'H', Kind::protocol},
    Letter{'s', Kind::status},      Letter{'b', Kind::body_bytes_or_dash},
    Letter{'B', Kind::body_bytes},  Letter{'I', Kind::bytes_in},
    Letter{'O', Kind::bytes_out},   Letter{'D', Kind::duration_us},
    Letter{'T', Kind::duration_s},  Letter{'V', Kind::host},
    Letter{'v', Kind::server_name}, Letter{'p', Kind::port},
    Letter{'P', Kind::process},     Letter{'k', Kind::earlier_requests},
    Letter{'X', Kind::connection},  Letter{'L', Kind::request_id},
};
constexpr std::string_view kKnown =
    "%h %a %l %u %t %{FORMAT}t %r %m %U %q %H %s %>s %b %B %D %T %{ms}T %{us}T %I %O %{NAME}i "
    "%{NAME}o %v %V %p %P %k %L %X %%";

struct Word {
  char letter;
  std::string_view argument;
  Kind kind;
};
constexpr std::array kWords = {
    Word{'t', "sec", Kind::time_seconds},
    Word{'t', "msec", Kind::time_milliseconds},
    Word{'t', "usec", Kind::time_microseconds},
    Word{'t', "msec_frac", Kind::fraction_ms},
    Word{'t', "usec_frac", Kind::fraction_us},
    Word{'T', "s", Kind::duration_s},
    Word{'T', "ms", Kind::duration_ms},
    Word{'T', "us", Kind::duration_us},
    Word{'p', "local", Kind::port},
    Word{'p', "canonical", Kind::port},
    Word{'P', "pid", Kind::process},
};

bool is_chosen(Kind kind) noexcept {
  switch (kind) {
    case Kind::request_line:
    case Kind::target:
    case Kind::path:
    case Kind::query:
    case Kind::request_field:
    case Kind::answer_field:
    case Kind::host:
    case Kind::server_name:
      return true;
    default:
      return false;
  }
}

// RFC 9110 §5.6.2
bool is_field_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// The place in a strftime(3) format that is none of its conversions; %n would end the line.
std::optional<std::size_t> wrong_conversion(std::string_view format) {
  constexpr std::string_view kConversions = "aAbBcCdDeFgGhHIjklmMpPrRsStTuUVwWxXyYzZ%";
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    const std::size_t at = i++;
    if (i < format.size() && (format[i] == 'E' || format[i] == 'O')) ++i;
    if (i >= format.size() || kConversions.find(format[i]) == std::string_view::npos) return at;
  }
  return std::nullopt;
}

// Half a line is for what clients send, and there is some for each piece of theirs.
constexpr std::size_t kMostFixed = 2048;
constexpr std::size_t kLeastChosen = 64;

class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : text_(text) {}

  std::expected<LogFormat, LogFormatFault> read() {
    while (at_ < text_.size() && !fault_) {
      const char c = text_[at_];
      if (c == '%') {
        directive();
      } else if (static_cast<unsigned char>(c) < 0x20 ? c != '\t' : c == 0x7f) {
        fail(at_, 1, "a line of the log has no control characters but the tab");
      } else {
        literal(c);
        ++at_;
      }
    }
    std::size_t fixed = 0;
    for (const LogPiece& piece : format_.pieces) {
      fixed += std::max(fixed_room(piece), is_chosen(piece.kind) ? kLeastChosen : 0);
    }
    if (fixed > kMostFixed && !fault_) {
      fail(0, text_.size(),
           fmt::format(
               "too long: what clients send not counted, a line of it may have {} bytes, and "
               "not over {}",
               fixed, kMostFixed));
    }
    if (fault_) return std::unexpected(std::move(*fault_));
    return std::move(format_);
  }

 private:
  void fail(std::size_t at, std::size_t length, std::string message) {
    fault_ = LogFormatFault{.at = at, .length = length, .message = std::move(message)};
  }
  void add(Kind kind, std::string text = {}) { format_.pieces.push_back({kind, std::move(text)}); }
  void literal(char c) {
    if (format_.pieces.empty() || format_.pieces.back().kind != Kind::text) add(Kind::text);
    format_.pieces.back().text += c;
  }

  // At a '%'.
  void directive() {
    const std::size_t start = at_++;
    std::optional<std::string_view> argument;
    bool final_status = false;
    // "<" and ">" choose between the first and the last of internal redirects, which we have none
    // of.
    for (; at_ < text_.size() && (text_[at_] == '<' || text_[at_] == '>'); ++at_) {
      final_status = true;
    }
    if (at_ < text_.size() && text_[at_] == '{') {
      const auto end = text_.find('}', at_);
      if (end == std::string_view::npos) {
        return fail(start, at_ + 1 - start, "'%{' has no '}'");
      }
      argument = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    }
    if (at_ >= text_.size()) {
      return fail(start, at_ - start, "'%' at the end has no letter; a '%' of its own is '%%'");
    }
    const char letter = text_[at_++];
    const std::string_view shown = text_.substr(start, at_ - start);
    if (argument) {
      with_argument(start, shown, *argument, letter);
    } else if (letter == '%' && !final_status) {
      literal('%');
    } else {
      alone(start, shown, letter);
    }
  }

  void alone(std::size_t start, std::string_view shown, char letter) {
    const auto* found = std::ranges::find(kLetters, letter, &Letter::letter);
    if (found != kLetters.end()) return add(found->kind);
    if (letter == 'i' || letter == 'o') {
      return fail(start, shown.size(),
                  fmt::format("'{}' needs a name: %{{Referer}}{}", shown, letter));
    }
    unknown(start, shown);
  }

  void with_argument(std::size_t start, std::string_view shown, std::string_view argument,
                     char letter) {
    for (const Word& word : kWords) {
      if (word.letter == letter && word.argument == argument) return add(word.kind);
    }
    if (letter == 'i' || letter == 'o') {
      if (!is_field_name(argument)) {
        return fail(start, shown.size(), fmt::format("'{}' is no name of a field", argument));
      }
      return add(letter == 'i' ? Kind::request_field : Kind::answer_field, std::string(argument));
    }
    if (letter == 't') return time(start, argument);
    unknown(start, shown);
  }

  void time(std::size_t start, std::string_view argument) {
    // Apache's; a line has the time of its end.
    if (argument.starts_with("end:")) argument.remove_prefix(4);
    if (argument.empty() || argument.starts_with("begin:")) {
      return fail(start, at_ - start,
                  "a time is '%t', or '%{FORMAT}t' with a format of strftime(3)");
    }
    const auto offset = static_cast<std::size_t>(argument.data() - text_.data());
    if (const auto wrong = wrong_conversion(argument)) {
      return fail(offset + *wrong, std::min<std::size_t>(2, argument.size() - *wrong),
                  fmt::format("'{}' is no conversion of strftime(3) that a line can have",
                              argument.substr(*wrong, 2)));
    }
    add(Kind::time_format, std::string(argument));
  }

  void unknown(std::size_t start, std::string_view shown) {
    // Never inside a character: the message is text.
    std::size_t length = shown.size();
    while (start + length < text_.size() &&
           (static_cast<unsigned char>(text_[start + length]) & 0xc0) == 0x80) {
      ++length;
    }
    fail(start, length,
         fmt::format("'{}' is not known; these are: {}", text_.substr(start, length), kKnown));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  LogFormat format_;
  std::optional<LogFormatFault> fault_;
};

LogFormat json_format() {
  LogFormat format{.pieces = {}, .is_json = true};
  auto add = [&](std::string_view key, LogPiece piece, bool quoted = false) {
    format.pieces.push_back(
        {Kind::text,
         fmt::format(R"({}"{}":{})", format.pieces.empty() ? "{" : ",", key, quoted ? "\"" : "")});
    format.pieces.push_back(std::move(piece));
    if (quoted) format.pieces.push_back({Kind::text, "\""});
  };
  add("time", {Kind::time_rfc3339}, true);
  add("client", {Kind::client});
  add("method", {Kind::method});
  add("target", {Kind::target});
  add("protocol", {Kind::protocol});
  add("host", {Kind::host});
  add("status", {Kind::status});
  add("body_bytes", {Kind::body_bytes});
  add("bytes_in", {Kind::bytes_in});
  add("bytes_out", {Kind::bytes_out});
  add("duration_us", {Kind::duration_us});
  add("connection", {Kind::connection_word}, true);
  add("referer", {Kind::request_field, "Referer"});
  add("user_agent", {Kind::request_field, "User-Agent"});
  add("worker", {Kind::worker});
  add("request_id", {Kind::request_id});
  format.pieces.push_back({Kind::text, "}"});
  return format;
}

}  // namespace

std::size_t fixed_room(const LogPiece& piece) noexcept {
  if (is_chosen(piece.kind)) return 0;
  constexpr std::size_t kNumber = 20;
  switch (piece.kind) {
    case Kind::text:
      return piece.text.size();
    case Kind::client:
      return kClientRoom;
    case Kind::request_id:
      return kRequestIdRoom;
    case Kind::method:
    case Kind::protocol:
    case Kind::time_clf:
    case Kind::time_rfc3339:
      return kMethodRoom;
    case Kind::time_format:
      return kTimeRoom;
    default:
      return kNumber;
  }
}

std::expected<LogFormat, LogFormatFault> parse_log_format(std::string_view text) {
  constexpr std::array<std::string_view, 3> kNames = {"common", "combined", "json"};
  if (text == "json") return json_format();
  if (text == "common") return PatternReader(kCommon).read();
  if (text == "combined") return PatternReader(kCombined).read();
  if (text.find('%') == std::string_view::npos) {
    return std::unexpected(LogFormatFault{
        .at = 0,
        .length = text.size(),
        .message =
            R"(must be "combined", "common", "json", or a pattern such as '%h %t "%r" %>s %b')",
        .suggestion = std::string(closest(text, kNames))});
  }
  return PatternReader(text).read();
}

}  // namespace pronghorn::config

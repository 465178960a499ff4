// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/date.h>

#include <array>
#include <cstring>

namespace pronghorn::server {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void put_digits(char* at, int value, int count) noexcept {
  for (int i = count - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

void write_date(char (&out)[30], std::time_t time) noexcept {
  std::tm tm{};
  gmtime_r(&time, &tm);
  std::memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", 30);
  std::memcpy(out, kDays[static_cast<std::size_t>(tm.tm_wday)].data(), 3);
  put_digits(out + 5, tm.tm_mday, 2);
  std::memcpy(out + 8, kMonths[static_cast<std::size_t>(tm.tm_mon)].data(), 3);
  put_digits(out + 12, tm.tm_year + 1900, 4);
  put_digits(out + 17, tm.tm_hour, 2);
  put_digits(out + 20, tm.tm_min, 2);
  put_digits(out + 23, tm.tm_sec, 2);
}

/// Takes a date's pieces off the front of a text; once a piece is missing nothing is valid any
/// more.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void literal(std::string_view wanted) {
    ok_ = ok_ && text_.starts_with(wanted);
    if (ok_) text_.remove_prefix(wanted.size());
  }
  template <std::size_t N>
  int name(const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; ok_ && i < N; ++i) {
      if (text_.starts_with(names[i])) {
        text_.remove_prefix(names[i].size());
        return static_cast<int>(i);
      }
    }
    ok_ = false;
    return 0;
  }
  int number(std::size_t digits, bool space_padded = false) {
    int value = 0;
    ok_ = ok_ && text_.size() >= digits;
    for (std::size_t i = 0; ok_ && i < digits; ++i) {
      if (space_padded && i == 0 && text_[i] == ' ') continue;
      ok_ = text_[i] >= '0' && text_[i] <= '9';
      value = value * 10 + (text_[i] - '0');
    }
    if (ok_) text_.remove_prefix(digits);
    return value;
  }
  void clock(std::tm& tm) {
    tm.tm_hour = number(2);
    literal(":");
    tm.tm_min = number(2);
    literal(":");
    tm.tm_sec = number(2);
  }
  bool is_valid() const { return ok_ && text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

std::optional<std::time_t> to_time(std::tm tm, const Reader& reader) {
  if (!reader.is_valid() || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
    return std::nullopt;
  int day = tm.tm_mday;
  int month = tm.tm_mon;
  std::time_t time = timegm(&tm);
  if (tm.tm_sec != 60 && (tm.tm_mday != day || tm.tm_mon != month)) return std::nullopt;  // 31 Feb
  return time;
}

std::optional<std::time_t> parse_imf(std::string_view text) {
  Reader r(text);
  std::tm tm{};
  r.name(kDays);
  r.literal(", ");
  tm.tm_mday = r.number(2);
  r.literal(" ");
  tm.tm_mon = r.name(kMonths);
  r.literal(" ");
  tm.tm_year = r.number(4) - 1900;
  r.literal(" ");
  r.clock(tm);
  r.literal(" GMT");
  return to_time(tm, r);
}

std::optional<std::time_t> parse_rfc850(std::string_view text) {
  Reader r(text);
  std::tm tm{};
  r.name(kLongDays);
  r.literal(", ");
  tm.tm_mday = r.number(2);
  r.literal("-");
  tm.tm_mon = r.name(kMonths);
  r.literal("-");
  tm.tm_year = r.number(2);
  r.literal(" ");
  r.clock(tm);
  r.literal(" GMT");
  // A year that seems more than 50 years ahead is the past century's (RFC 9110 §5.6.7).
  std::time_t now = std::time(nullptr);
  std::tm today{};
  gmtime_r(&now, &today);
  tm.tm_year += today.tm_year - today.tm_year % 100;
  if (tm.tm_year > today.tm_year + 50) tm.tm_year -= 100;
  return to_time(tm, r);
}

std::optional<std::time_t> parse_asctime(std::string_view text) {
  Reader r(text);
  std::tm tm{};
  r.name(kDays);
  r.literal(" ");
  tm.tm_mon = r.name(kMonths);
  r.literal(" ");
  tm.tm_mday = r.number(2, true);
  r.literal(" ");
  r.clock(tm);
  r.literal(" ");
  tm.tm_year = r.number(4) - 1900;
  return to_time(tm, r);
}

}  // namespace

std::string format_http_date(std::time_t time) {
  char text[30];
  write_date(text, time);
  return {text, 29};
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
  if (auto time = parse_imf(text)) return time;
  if (auto time = parse_rfc850(text)) return time;
  return parse_asctime(text);
}

void DateCache::refresh(std::time_t now) {
  if (now == second_) return;
  second_ = now;
  write_date(text_, now);
}

}  // namespace pronghorn::server

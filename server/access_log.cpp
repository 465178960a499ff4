// SPDX-License-Identifier: Apache-2.0
#include "server/access_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iterator>

namespace pronghorn::server {
namespace {

// With these budgets the longest line, everything escaped, is under NonblockingWriter::kMaxLine, so
// that lines of several workers in one pipe stay whole.
constexpr std::size_t kPeerRoom = 64, kMethodRoom = 32, kTargetRoom = 2048;
constexpr std::size_t kRefererRoom = 896, kUserAgentRoom = 896, kFixedRoom = 128;
static_assert(kPeerRoom + kMethodRoom + kTargetRoom + kRefererRoom + kUserAgentRoom + kFixedRoom <=
              NonblockingWriter::kMaxLine);

constexpr std::size_t kFlushSize = 64 * 1024;  // bounds a turn with very many requests
constexpr std::uint64_t kTerminalLinesPerSecond = 50;
constexpr std::size_t kTerminalRequestWidth = 25;

bool is_safe(char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Appends at most `room` bytes.
void append_escaped(std::string& out, std::string_view text, std::size_t room) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef", kCut = "...";
  std::size_t limit = out.size() + room - kCut.size();
  for (char c : text) {
    if (out.size() + (is_safe(c) ? 1 : 4) > limit) {
      out.append(kCut);
      return;
    }
    if (is_safe(c)) {
      out.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
}

void append_or_dash(std::string& out, std::string_view text, std::size_t room) noexcept {
  append_escaped(out, text.empty() ? "-" : text, room);
}

template <class Number>
void append_number(std::string& out, Number number) noexcept {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// "[22/Nov/2026:12:01:40 +0000]". Not by strftime: month names would follow the locale.
void format_utc(char (&out)[32], std::time_t now) noexcept {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  ::gmtime_r(&now, &t);
  std::snprintf(out, sizeof out, "[%02d/%s/%04d:%02d:%02d:%02d +0000]", t.tm_mday % 100,
                kMonths[t.tm_mon % 12], (t.tm_year + 1900) % 10000, t.tm_hour % 100, t.tm_min % 100,
                t.tm_sec % 100);
}

void format_local(char (&out)[32], std::time_t now) noexcept {
  std::tm t{};
  ::localtime_r(&now, &t);
  std::snprintf(out, sizeof out, "%02d:%02d:%02d", t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
}

using Cell = std::array<char, 32>;

Cell size_cell(std::uint64_t bytes) noexcept {
  Cell cell;
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    std::snprintf(cell.data(), cell.size(), "%u B", static_cast<unsigned>(bytes));
    return cell;
  }
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1023.95 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
  std::snprintf(cell.data(), cell.size(), "%.1f %s", size, kUnits[unit]);
  return cell;
}

Cell duration_cell(std::int64_t us) noexcept {
  Cell cell;
  double ms = static_cast<double>(us) / 1000;
  if (ms < 999.95) {
    std::snprintf(cell.data(), cell.size(), "%.1f ms", ms);
  } else {
    std::snprintf(cell.data(), cell.size(), "%.1f s", ms / 1000);
  }
  return cell;
}

const char* status_colour(int status) noexcept {
  if (status >= 500) return "\x1b[31m";
  if (status >= 400) return "\x1b[33m";
  if (status >= 300) return "\x1b[36m";
  return "\x1b[32m";
}

// "12,345"
void append_grouped(std::string& out, std::uint64_t number) noexcept {
  std::size_t start = out.size();
  append_number(out, number);
  for (std::size_t at = out.size(); at > start + 3; at -= 3) out.insert(at - 3, 1, ',');
}

}  // namespace

AccessLog::AccessLog(int fd, Form form, bool colour, WorkerCounters& counters, Now now)
    : writer_(fd), counters_(counters), now_(now), form_(form), colour_(colour) {
  pending_.reserve(kFlushSize + NonblockingWriter::kMaxLine);
}

void AccessLog::record(const AccessEntry& entry) noexcept {
  if (pending_.size() >= kFlushSize) write_pending();
  if (std::time_t now = now_(); now != second_) begin_second(now);
  if (form_ == Form::combined) {
    append_combined(entry);
  } else if (this_second_++ < kTerminalLinesPerSecond) {
    append_terminal(entry);
  } else {
    ++hidden_;
  }
}

void AccessLog::flush() noexcept {
  if (hidden_ > 0) {
    if (std::time_t now = now_(); now != second_) begin_second(now);
  }
  if (!pending_.empty()) write_pending();
}

void AccessLog::write_pending() noexcept {
  if (auto dropped = writer_.write(pending_); dropped > 0) counters_.log_dropped.add(dropped);
  pending_.clear();
}

void AccessLog::begin_second(std::time_t now) noexcept {
  if (hidden_ > 0) {
    pending_.append(time_text_).append("  … and ");
    append_grouped(pending_, hidden_);
    pending_.append(" more in this second\n");
    hidden_ = 0;
  }
  this_second_ = 0;
  second_ = now;
  form_ == Form::combined ? format_utc(time_text_, now) : format_local(time_text_, now);
}

void AccessLog::append_combined(const AccessEntry& entry) noexcept {
  append_or_dash(pending_, entry.peer, kPeerRoom);
  pending_.append(" - - ").append(time_text_).append(" \"");
  if (entry.method.empty()) {
    pending_.push_back('-');  // nothing that could be read as a request line
  } else {
    append_escaped(pending_, entry.method, kMethodRoom);
    pending_.push_back(' ');
    append_escaped(pending_, entry.target, kTargetRoom);
    pending_.append(entry.version == 10 ? " HTTP/1.0" : " HTTP/1.1");
  }
  pending_.append("\" ");
  append_number(pending_, entry.status);
  pending_.push_back(' ');
  append_number(pending_, entry.bytes);
  pending_.append(" \"");
  append_or_dash(pending_, entry.referer, kRefererRoom);
  pending_.append("\" \"");
  append_or_dash(pending_, entry.user_agent, kUserAgentRoom);
  pending_.append("\"\n");
}

void AccessLog::append_terminal(const AccessEntry& entry) noexcept {
  pending_.append(time_text_).append("  ");
  if (colour_) pending_.append(status_colour(entry.status));
  append_number(pending_, entry.status);
  if (colour_) pending_.append("\x1b[0m");
  pending_.push_back(' ');
  std::size_t start = pending_.size();
  append_or_dash(pending_, entry.method, kMethodRoom);
  pending_.push_back(' ');
  append_escaped(pending_, entry.target, kTargetRoom);
  std::size_t width = pending_.size() - start;
  pending_.append(kTerminalRequestWidth - std::min(width, kTerminalRequestWidth), ' ');
  Cell size = size_cell(entry.bytes), duration = duration_cell(entry.duration_us);
  std::array<char, 2 * sizeof(Cell)> cells;
  int n = std::snprintf(cells.data(), cells.size(), " %8s %9s\n", size.data(), duration.data());
  pending_.append(cells.data(), std::min(static_cast<std::size_t>(n), cells.size() - 1));
}

}  // namespace pronghorn::server

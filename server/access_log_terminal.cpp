// SPDX-License-Identifier: Apache-2.0
#include "server/access_log_terminal.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iterator>

namespace pronghorn::server {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;
constexpr std::uint64_t kLinesPerSecond = 50;
constexpr std::size_t kRequestWidth = 25;
constexpr std::size_t kMethodRoom = 32, kTargetRoom = 2048;

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
void put_grouped(LineWriter& out, std::uint64_t number) noexcept {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  std::string_view rest(digits.data(), static_cast<std::size_t>(end - digits.data()));
  while (!rest.empty()) {
    std::size_t group = (rest.size() - 1) % 3 + 1;
    out.text(rest.substr(0, group));
    rest.remove_prefix(group);
    if (!rest.empty()) out.text(",");
  }
}

}  // namespace

char* TerminalLines::write(char* at, const AccessEntry& entry, std::int64_t now_us) noexcept {
  LineWriter out(at);
  if (now_us / kMicroseconds != second_) begin_second(out, now_us / kMicroseconds);
  if (this_second_++ < kLinesPerSecond) {
    put_line(out, entry);
  } else {
    ++hidden_;
  }
  return out.at();
}

char* TerminalLines::write_hidden(char* at, std::int64_t now_us) noexcept {
  LineWriter out(at);
  if (now_us / kMicroseconds != second_) begin_second(out, now_us / kMicroseconds);
  return out.at();
}

void TerminalLines::begin_second(LineWriter& out, std::int64_t second) noexcept {
  if (hidden_ > 0) {
    out.text(time_text_);
    out.text("  … and ");
    put_grouped(out, hidden_);
    out.text(" more in this second\n");
    hidden_ = 0;
  }
  this_second_ = 0;
  second_ = second;
  const auto time = static_cast<std::time_t>(second);
  std::tm t{};
  ::localtime_r(&time, &t);
  std::snprintf(time_text_, sizeof time_text_, "%02d:%02d:%02d", t.tm_hour % 100, t.tm_min % 100,
                t.tm_sec % 100);
}

void TerminalLines::put_line(LineWriter& out, const AccessEntry& entry) const noexcept {
  out.text(time_text_);
  out.text("  ");
  if (colour_) out.text(status_colour(entry.status));
  out.number(entry.status);
  if (colour_) out.text("\x1b[0m");
  out.text(" ");
  const char* start = out.at();
  out.escaped(entry.method.empty() ? "-" : entry.method, kMethodRoom);
  out.text(" ");
  out.escaped(entry.target, kTargetRoom);
  for (auto width = out.at() - start; width < static_cast<std::ptrdiff_t>(kRequestWidth); ++width) {
    out.text(" ");
  }
  Cell size = size_cell(entry.body_bytes), duration = duration_cell(entry.duration_us);
  std::array<char, 2 * sizeof(Cell)> cells;
  int n = std::snprintf(cells.data(), cells.size(), " %8s %9s\n", size.data(), duration.data());
  out.text({cells.data(), std::min(static_cast<std::size_t>(n), cells.size() - 1)});
}

}  // namespace pronghorn::server

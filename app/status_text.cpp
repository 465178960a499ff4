// SPDX-License-Identifier: Apache-2.0
// The table of `pronghorn status`: right-aligned columns, fewer of them on a narrow terminal.
#include <pronghorn/base/text.h>

#include "app/status_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace pronghorn::app {
namespace {

enum Column : std::size_t {
  kWorker,
  kProgram,
  kState,
  kPid,
  kGen,
  kUp,
  kConns,
  kRate,
  kCpu,
  kMem,
  kLag,
  kExits,
  kLast,
  kColumns
};
using Row = std::array<std::string, kColumns>;

std::string short_time(std::int64_t ms) {
  auto s = ms / 1000;
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m", s / 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f}M", static_cast<double>(bytes) / (1 << 20));
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

Row row_of(const master::WorkerStatus& w) {
  Row row;
  bool runs = w.pid != 0;
  auto if_runs = [runs](std::string text) { return runs ? std::move(text) : std::string("-"); };
  row[kWorker] = std::to_string(w.slot);
  // A foreign program counts nothing for us.
  const bool counts = w.program.empty();
  row[kProgram] = counts ? "-" : escape_control(w.program);
  row[kState] = w.state;
  row[kPid] = if_runs(std::to_string(w.pid));
  row[kGen] = std::to_string(w.generation);
  row[kUp] = if_runs(short_time(w.uptime_ms));
  row[kConns] = counts ? std::to_string(w.connections) : "-";
  row[kRate] = counts ? fmt::format("{:.0f}", w.requests_per_second) : "-";
  row[kCpu] = if_runs(fmt::format("{:.0f}%", w.cpu_percent));
  row[kMem] = if_runs(mebibytes(w.memory_bytes));
  row[kLag] = counts ? if_runs(fmt::format("{:.1f}ms", static_cast<double>(w.lag_us) / 1000)) : "-";
  row[kExits] = std::to_string(w.exits);
  row[kLast] =
      w.exits == 0 ? "-" : fmt::format("{} ago, {}", short_time(w.last_exit_ms), w.last_exit);
  return row;
}

Row total_of(const master::ServerStatus& status) {
  std::uint64_t connections = 0;
  std::uint64_t memory = 0;
  std::uint64_t exits = 0;
  double rate = 0;
  double cpu = 0;
  for (const auto& w : status.workers) {
    connections += w.connections;
    memory += w.memory_bytes;
    exits += w.exits;
    rate += w.requests_per_second;
    cpu += w.cpu_percent;
  }
  Row row;
  row[kWorker] = "total";
  const bool counts =
      std::ranges::any_of(status.workers, &std::string::empty, &master::WorkerStatus::program);
  row[kConns] = counts ? std::to_string(connections) : "-";
  row[kRate] = counts ? fmt::format("{:.0f}", rate) : "-";
  row[kCpu] = fmt::format("{:.0f}%", cpu);
  row[kMem] = mebibytes(memory);
  row[kExits] = std::to_string(exits);
  return row;
}

struct Table {
  std::vector<Row> rows;  // the first is the heading
  std::array<std::size_t, kColumns> widths{};
  std::array<bool, kColumns> shown{};

  explicit Table(std::vector<Row> content) : rows(std::move(content)) {
    shown.fill(true);
    for (const Row& row : rows) {
      for (std::size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], row[c].size());
    }
  }
  std::size_t width() const {
    std::size_t sum = 0;
    for (std::size_t c = 0; c < kColumns; ++c) sum += shown[c] ? widths[c] + 2 : 0;
    return sum - 2;
  }
  // The least needed columns go first; then the last exit gets lines of its own.
  void fit(unsigned columns) {
    for (Column c : {kLag, kMem, kCpu, kLast}) {
      if (columns == 0 || width() <= columns) return;
      shown[c] = false;
    }
  }
  std::string line(const Row& row) const {
    std::string text;
    for (std::size_t c = 0; c < kColumns; ++c) {
      if (!shown[c]) continue;
      bool left = c == kProgram || c == kState || c == kLast;
      text += left ? fmt::format("{:<{}}  ", row[c], widths[c])
                   : fmt::format("{:>{}}  ", row[c], widths[c]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  }
};

std::string table_text(const master::ServerStatus& status, unsigned columns) {
  std::vector<Row> rows{{"WORKER", "PROGRAM", "STATE", "PID", "GEN", "UP", "CONNS", "REQ/S", "CPU",
                         "MEM", "LAG", "EXITS", "LAST EXIT"}};
  for (const auto& worker : status.workers) rows.push_back(row_of(worker));
  rows.push_back(total_of(status));
  Table table(std::move(rows));
  table.shown[kProgram] = std::ranges::any_of(
      status.workers, [](const master::WorkerStatus& w) { return !w.program.empty(); });
  table.fit(columns);
  std::string text;
  for (const Row& row : table.rows) {
    text += table.line(row);
    bool has_exit = !row[kLast].empty() && row[kLast] != "-" && row[kLast] != "LAST EXIT";
    if (!table.shown[kLast] && has_exit) text += "        " + row[kLast] + "\n";
  }
  return text;
}

std::string verdict_text(const master::ServerStatus& status, bool colour) {
  const char* start = !colour ? "" : status.verdict == "OK" ? "\033[32m" : "\033[31m";
  return fmt::format("{}{}{}{}{}\n", start, status.verdict, colour ? "\033[0m" : "",
                     status.reason.empty() ? "" : ": ", status.reason);
}

std::string access_log_text(const master::AccessLogStatus& log) {
  if (log.path.empty()) return {};
  std::string text = fmt::format("access log {}  {} lines",
                                 log.path == "-" ? "standard error" : escape_control(log.path),
                                 with_commas(log.lines));
  if (log.dropped > 0) {
    text += fmt::format("  {} lost{}", with_commas(log.dropped), log.is_losing ? ", and more" : "");
  }
  if (!log.error.empty()) text += "  " + log.error;
  return text + "\n";
}

/// Only where something was.
std::string refused_text(const master::ServerStatus& status) {
  std::uint64_t requests = 0;
  std::uint64_t connections = 0;
  for (const auto& worker : status.workers) {
    requests += worker.requests_refused;
    connections += worker.connections_refused;
  }
  if (requests == 0 && connections == 0) return {};
  return fmt::format("refused by 429  {} requests  {} connections\n", with_commas(requests),
                     with_commas(connections));
}

}  // namespace

std::string status_text(const master::ServerStatus& status, unsigned columns, bool colour) {
  std::string text = fmt::format("pronghorn {}  pid {}  up {}  generation {}", status.version,
                                 status.pid, short_time(status.uptime_ms), status.generation);
  if (!status.config_file.empty()) text += "  " + escape_control(status.config_file);
  text += "\n" + verdict_text(status, colour) + "\n" + table_text(status, columns) + "\n";
  std::uint64_t accepted = 0;
  bool any_counts = false;
  for (const auto& worker : status.workers) {
    accepted += worker.accepted;
    any_counts = any_counts || worker.program.empty();
  }
  for (const auto& listener : status.listeners) {
    text += "listen " + listener.url;
    if (listener.limit > 0)
      text += fmt::format("  queue {} of {}", listener.waiting, listener.limit);
    if (status.listeners.size() == 1 && any_counts) text += "  accepted " + with_commas(accepted);
    text += "\n";
  }
  if (status.listeners.size() > 1 && any_counts) text += "accepted " + with_commas(accepted) + "\n";
  return text + refused_text(status) + access_log_text(status.access_log);
}

}  // namespace pronghorn::app

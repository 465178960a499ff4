// SPDX-License-Identifier: Apache-2.0
// The master's half of the scoreboard: what it writes into a slot, and what it reads from all.
#pragma once

#include <pronghorn/ipc/scoreboard.h>
#include <pronghorn/process/exit.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pronghorn::master {

void record_start(ipc::Slot& slot, int pid, std::uint64_t generation) noexcept;
/// Keeps how it ended and what it was doing, and takes back what only a live worker has.
/// @returns how many requests ended with it
std::uint64_t record_exit(ipc::Slot& slot, const process::Exit& exit) noexcept;

/// What all workers are doing now.
struct InFlight {
  std::uint64_t requests = 0;
  std::string oldest;  ///< "GET /report", escaped; empty: not known
  std::int64_t oldest_ms = 0;
  std::vector<std::string> some;  ///< at most five of them, escaped
};
InFlight in_flight(const ipc::Scoreboard& board);

struct Totals {
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;
};
Totals totals(const ipc::Scoreboard& board) noexcept;

/// The workers' access log.
struct LogTotals {
  std::uint64_t lines = 0;    ///< written
  std::uint64_t dropped = 0;  ///< lost
  int error = 0;              ///< errno of a worker whose lines wait now; 0: none do
};
LogTotals log_totals(const ipc::Scoreboard& board) noexcept;

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// Fills a ServerStatus from the scoreboard, the supervisor, the listeners and the kernel.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/ipc/scoreboard.h>

#include "master/listener.h"
#include "master/status.h"
#include "master/supervisor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pronghorn::master {

class StatusCollector {
 public:
  /// All of them outlive the collector.
  StatusCollector(const ipc::Scoreboard& board, const Supervisor& supervisor,
                  const std::vector<Listener>& listeners)
      : board_(board), supervisor_(supervisor), listeners_(listeners), samples_(board.size()) {}

  /// Once a second: the rates are those of the last second. Two system calls per worker.
  void sample();
  double requests_per_second() const noexcept;
  /// `blank` has what the collector cannot know: version, file, generation, start.
  ServerStatus collect(ServerStatus blank, Instant now) const;
  /// "OK", or "DEGRADED: 2 of 3 workers ready; …"; also for systemd.
  void judge(ServerStatus& status, Instant now) const;

 private:
  struct Sample {
    std::uint64_t requests = 0;
    std::int64_t cpu_ns = 0;
    int pid = 0;
    double requests_per_second = 0;
    double cpu_percent = 0;
  };
  WorkerStatus worker(std::uint32_t index, Instant now) const;
  std::string trouble(Instant now) const;

  const ipc::Scoreboard& board_;
  const Supervisor& supervisor_;
  const std::vector<Listener>& listeners_;
  std::vector<Sample> samples_;
  std::int64_t sampled_ms_ = 0;
};

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
#include "master/status_collector.h"

#include <pronghorn/base/text.h>

#include "master/exit_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <unistd.h>

namespace pronghorn::master {
namespace {

// The process's CPU clock: one call, no file (clock_getcpuclockid(3)).
std::int64_t cpu_time_ns(int pid) noexcept {
  clockid_t clock{};
  timespec time{};
  if (pid <= 0 || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    return 0;
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

std::uint64_t memory_of(int pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  for (std::string word; rollup >> word;) {
    std::uint64_t kib = 0;
    if (word == "Pss:" && rollup >> kib) return kib * 1024;
  }
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Millis until(Instant then, Instant now) {
  return std::max(Millis(0), std::chrono::duration_cast<Millis>(then - now));
}

}  // namespace

void StatusCollector::sample() {
  std::int64_t now = monotonic_ms();
  std::int64_t elapsed = now - std::exchange(sampled_ms_, now);
  for (std::uint32_t i = 0; i < board_.size(); ++i) {
    const auto& slot = board_.slot(i);
    Sample& s = samples_[i];
    int pid = static_cast<int>(slot.pid.load(std::memory_order_relaxed));
    Sample next{.requests = slot.counters.requests.get(), .cpu_ns = cpu_time_ns(pid), .pid = pid};
    if (elapsed > 0 && elapsed < 60'000) {
      next.requests_per_second =
          static_cast<double>(next.requests - s.requests) * 1000.0 / static_cast<double>(elapsed);
      // A new process has no second to compare with yet.
      if (pid == s.pid && next.cpu_ns >= s.cpu_ns) {
        next.cpu_percent =
            static_cast<double>(next.cpu_ns - s.cpu_ns) / (static_cast<double>(elapsed) * 1e4);
      }
    }
    s = next;
  }
}

double StatusCollector::requests_per_second() const noexcept {
  double sum = 0;
  for (const Sample& s : samples_) sum += s.requests_per_second;
  return sum;
}

ServerStatus StatusCollector::collect(ServerStatus status, Instant now) const {
  status.pid = ::getpid();
  for (std::uint32_t i = 0; i < board_.size(); ++i) status.workers.push_back(worker(i, now));
  for (const auto& listener : listeners_) {
    auto queue = listener.queue();
    status.listeners.push_back({listener.url(), queue.waiting, queue.limit});
  }
  judge(status, now);
  return status;
}

WorkerStatus StatusCollector::worker(std::uint32_t index, Instant now) const {
  const auto& slot = board_.slot(index);
  const auto& counters = slot.counters;
  auto view = supervisor_.slot(index);
  std::int64_t now_ms = monotonic_ms();
  WorkerStatus w;
  w.slot = index + 1;
  w.state = ipc::slot_state_name(view.state);
  w.pid = static_cast<int>(slot.pid.load());
  w.generation = slot.generation.load();
  w.connections = counters.connections.get();
  w.accepted = counters.accepted.get();
  w.requests = counters.requests.get();
  w.requests_active = counters.requests_active.get();
  w.requests_failed = counters.requests_failed.get();
  w.requests_refused = counters.requests_refused.get();
  w.connections_refused = counters.connections_refused.get();
  w.bytes_in = counters.bytes_in.get();
  w.bytes_out = counters.bytes_out.get();
  w.exits = slot.exits.load();
  if (w.pid != 0) {
    w.uptime_ms = now_ms - slot.started_ms.load();
    w.requests_per_second = samples_[index].requests_per_second;
    w.cpu_percent = samples_[index].cpu_percent;
    w.memory_bytes = memory_of(w.pid);
    w.lag_us = slot.loop_lag_us.load();
    if (auto beat = slot.heartbeat_ms.load(); beat != 0)
      w.heartbeat_ms = std::max<std::int64_t>(0, now_ms - beat);
    w.request = escape_control(counters.in_hand.text());
    if (!w.request.empty()) w.request_ms = now_ms - counters.in_hand.since_ms();
  }
  if (w.exits > 0) {
    w.last_exit = exit_text_short(slot.last_exit_code.load(), slot.last_exit_signal.load(),
                                  slot.last_exit_request.text());
    w.last_exit_ms = now_ms - slot.last_exit_ms.load();
  }
  w.attempt = view.attempt;
  if (view.restart_at) w.restart_ms = until(*view.restart_at, now).count();
  return w;
}

void StatusCollector::judge(ServerStatus& status, Instant now) const {
  auto ready = supervisor_.count(SlotState::ready);
  if (supervisor_.is_stopping()) {
    status.verdict = "DOWN";
    status.reason = "stopping";
  } else if (ready == supervisor_.size()) {
    status.verdict = "OK";
  } else {
    status.verdict = ready == 0 ? "DOWN" : "DEGRADED";
    status.reason =
        fmt::format("{} of {} workers ready; {}", ready, supervisor_.size(), trouble(now));
  }
}

// The first worker that is not ready, and what becomes of it.
std::string StatusCollector::trouble(Instant now) const {
  for (std::uint32_t i = 0; i < supervisor_.size(); ++i) {
    auto view = supervisor_.slot(i);
    if (view.state == SlotState::ready) continue;
    if (view.restart_at) {
      return fmt::format("worker {} restarts in {} (attempt {})", i + 1,
                         format_duration(until(*view.restart_at, now)), view.attempt);
    }
    if (view.state == SlotState::suspect) {
      auto beat = board_.slot(i).heartbeat_ms.load();
      return fmt::format("worker {} does not answer for {}", i + 1,
                         format_duration(Millis(monotonic_ms() - beat)));
    }
    return fmt::format("worker {} is {}", i + 1, ipc::slot_state_name(view.state));
  }
  return {};
}

}  // namespace pronghorn::master

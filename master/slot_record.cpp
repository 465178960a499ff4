// SPDX-License-Identifier: Apache-2.0
#include "master/slot_record.h"

#include <pronghorn/base/clock.h>
#include <pronghorn/base/text.h>

namespace pronghorn::master {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

void copy_request(RequestInHand& to, const RequestInHand& from) noexcept {
  auto text = from.text();
  auto space = text.find(' ');
  if (text.empty() || space == std::string_view::npos) {
    to.end();
  } else {
    to.begin(text.substr(0, space), text.substr(space + 1), from.since_ms());
  }
}

}  // namespace

void record_start(ipc::Slot& slot, int pid, std::uint64_t generation) noexcept {
  slot.pid.store(static_cast<std::uint32_t>(pid), kRelaxed);
  slot.generation.store(generation, kRelaxed);
  slot.started_ms.store(monotonic_ms(), kRelaxed);
}

std::uint64_t record_exit(ipc::Slot& slot, const process::Exit& exit) noexcept {
  // The worker can write no more, so this is consistent. live goes first: the gate counts live
  // slots only.
  slot.live.store(0);
  slot.armed.store(0);
  slot.heartbeat_ms.store(0, kRelaxed);
  slot.pid.store(0, kRelaxed);
  slot.last_exit_code.store(exit.code.value_or(-1), kRelaxed);
  slot.last_exit_signal.store(exit.signal.value_or(0), kRelaxed);
  slot.last_exit_ms.store(monotonic_ms(), kRelaxed);
  slot.exits.fetch_add(1, kRelaxed);
  copy_request(slot.last_exit_request, slot.counters.in_hand);
  auto lost = slot.counters.requests_active.get() + slot.counters.requests_cut.get();
  slot.counters.in_hand.end();
  slot.counters.connections.set(0);
  slot.counters.requests_active.set(0);
  slot.counters.requests_cut.set(0);
  return lost;
}

InFlight in_flight(const ipc::Scoreboard& board) {
  constexpr std::size_t kSome = 5;
  InFlight all;
  std::int64_t now = monotonic_ms();
  for (std::uint32_t i = 0; i < board.size(); ++i) {
    const auto& counters = board.slot(i).counters;
    all.requests += counters.requests_active.get();
    if (counters.requests_active.get() == 0 || counters.in_hand.text().empty()) continue;
    std::string request = escape_control(counters.in_hand.text());
    std::int64_t age = now - counters.in_hand.since_ms();
    if (all.oldest.empty() || age > all.oldest_ms) {
      all.oldest = request;
      all.oldest_ms = age;
    }
    if (all.some.size() < kSome) all.some.push_back(std::move(request));
  }
  return all;
}

Totals totals(const ipc::Scoreboard& board) noexcept {
  Totals sum;
  for (std::uint32_t i = 0; i < board.size(); ++i) {
    sum.connections += board.slot(i).counters.connections.get();
    sum.requests += board.slot(i).counters.requests.get();
  }
  return sum;
}

LogTotals log_totals(const ipc::Scoreboard& board) noexcept {
  LogTotals sums;
  for (std::uint32_t i = 0; i < board.size(); ++i) {
    const WorkerCounters& counters = board.slot(i).counters;
    sums.lines += counters.log_lines.get();
    sums.dropped += counters.log_dropped.get();
    if (sums.error == 0) sums.error = static_cast<int>(counters.log_error.get());
  }
  return sums;
}

}  // namespace pronghorn::master

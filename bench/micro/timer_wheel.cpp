// SPDX-License-Identifier: Apache-2.0
// The deadlines of 10,000 connections: moving one, as each request does, and a turn of the wheel.
#include "base/timer_wheel.h"

#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace pronghorn {
namespace {

constexpr std::size_t kConnections = 10'000;

void wheel_move_a_deadline(benchmark::State& state) {
  std::int64_t now_ms = 1'000'000;
  TimerWheel wheel(now_ms);
  std::vector<WheelEntry> entries(kConnections);
  for (WheelEntry& entry : entries) wheel.set(entry, now_ms + 75'000);
  std::size_t next = 0;
  for (auto _ : state) {
    wheel.set(entries[next], ++now_ms + 75'000);
    next = (next + 1) % entries.size();
  }
}
BENCHMARK(wheel_move_a_deadline);

void wheel_set_and_expire(benchmark::State& state) {
  std::int64_t now_ms = 1'000'000;
  TimerWheel wheel(now_ms);
  std::vector<WheelEntry> entries(kConnections);
  std::size_t expired = 0;
  const std::function<void(WheelEntry&)> count = [&](WheelEntry&) { ++expired; };
  for (auto _ : state) {
    for (WheelEntry& entry : entries) wheel.set(entry, now_ms + 50);
    now_ms += 2 * TimerWheel::kTickMs;
    wheel.advance(now_ms, count);
  }
  if (expired != entries.size() * static_cast<std::size_t>(state.iterations())) {
    state.SkipWithError("not all have expired");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(entries.size()) * state.iterations());
}
BENCHMARK(wheel_set_and_expire);

}  // namespace
}  // namespace pronghorn

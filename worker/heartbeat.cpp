// SPDX-License-Identifier: Apache-2.0
#include "worker/heartbeat.h"

#include "worker/gate.h"

#include <algorithm>

namespace pronghorn::worker {

Heartbeat::Heartbeat(Loop& loop, ipc::Slot& slot, std::function<void()> on_tick)
    : slot_(slot), on_tick_(std::move(on_tick)), timer_(loop, [this] { beat(); }) {
  timer_.unref();
}

Heartbeat::~Heartbeat() { slot_.heartbeat_ms.store(0, std::memory_order_relaxed); }

void Heartbeat::start() {
  last_ = Clock::now();
  slot_.heartbeat_ms.store(monotonic_ms());
  timer_.start(Millis(Gate::kTickMs), Millis(Gate::kTickMs));
}

void Heartbeat::beat() {
  Instant now = Clock::now();
  auto late =
      std::chrono::duration_cast<std::chrono::microseconds>(now - last_ - Millis(Gate::kTickMs));
  slot_.loop_lag_us.store(static_cast<std::uint64_t>(std::max<std::int64_t>(late.count(), 0)),
                          std::memory_order_relaxed);
  slot_.heartbeat_ms.store(monotonic_ms(), std::memory_order_relaxed);
  last_ = now;
  on_tick_();
}

}  // namespace pronghorn::worker

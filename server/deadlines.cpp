// SPDX-License-Identifier: Apache-2.0
#include "server/deadlines.h"

#include <utility>

namespace pronghorn::server {

Deadlines::Deadlines(Loop& loop, std::function<void(WheelEntry&)> expired)
    : loop_(loop),
      expired_(std::move(expired)),
      wheel_(loop.now_ms()),
      timer_(loop, [this] { tick(); }) {}

void Deadlines::set(WheelEntry& entry, std::int64_t deadline_ms) {
  if (!entry.is_set() && !timer_.is_active()) {  // while one is set, the timer runs
    wheel_.advance(loop_.now_ms(), expired_);    // empty: it only learns what time it is
    timer_.start(Millis(TimerWheel::kTickMs), Millis(TimerWheel::kTickMs));
  }
  wheel_.set(entry, deadline_ms);
}

void Deadlines::tick() {
  wheel_.advance(loop_.now_ms(), expired_);
  if (wheel_.empty()) timer_.stop();
}

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// The deadlines of all connections of a server: one wheel, one timer of the loop, which runs only
// while something is waited for.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include "base/timer_wheel.h"
#include "base/uv/timer.h"

#include <cstdint>
#include <functional>

namespace pronghorn::server {

class Deadlines {
 public:
  /// `expired` gets each entry whose time has come; it may set and destroy any entry.
  Deadlines(Loop& loop, std::function<void(WheelEntry&)> expired);

  /// Sets or moves; `deadline_ms` is on Loop::now_ms()'s clock.
  void set(WheelEntry& entry, std::int64_t deadline_ms);
  /// All that are set.
  TimerWheel& wheel() noexcept { return wheel_; }

 private:
  void tick();

  Loop& loop_;
  std::function<void(WheelEntry&)> expired_;
  TimerWheel wheel_;
  uv::Timer timer_;
};

}  // namespace pronghorn::server

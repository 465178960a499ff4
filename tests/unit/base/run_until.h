// SPDX-License-Identifier: Apache-2.0
// Runs a loop until something has happened, with a deadline. For the tests of base/uv.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include "base/clock.h"
#include "base/uv/timer.h"

#include <uv.h>

#include <functional>

namespace pronghorn::testing {

/// @returns false when `done` was not true within twenty seconds: long, as machines are busy
inline bool run_until(Loop& loop, const std::function<bool()>& done) {
  Instant deadline = Clock::now() + std::chrono::seconds(20);
  uv::Timer awake(loop, [] {});  // the loop must turn, also with nothing else to wait for
  awake.start(Millis(1), Millis(5));
  while (!done()) {
    if (Clock::now() > deadline) return false;
    uv_run(loop.native(), UV_RUN_ONCE);
  }
  return true;
}

/// Turns the loop often enough for anything that is ready to be seen: to show that nothing comes.
inline void turn(Loop& loop, int times = 5) {
  for (int i = 0; i < times; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
}

}  // namespace pronghorn::testing

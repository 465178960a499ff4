// SPDX-License-Identifier: Apache-2.0
// Time as all rooms use it. Monotonic for everything but dates shown to people and peers.
#pragma once

#include <chrono>

namespace pronghorn {

using Clock =
    std::chrono::steady_clock;  // CLOCK_MONOTONIC: the same in every process of the machine
using Instant = Clock::time_point;
using Millis = std::chrono::milliseconds;

/// Milliseconds of CLOCK_MONOTONIC; comparable between processes, so it can stand in shared memory.
inline std::int64_t monotonic_ms() noexcept {
  return std::chrono::duration_cast<Millis>(Clock::now().time_since_epoch()).count();
}

}  // namespace pronghorn

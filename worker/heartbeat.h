// SPDX-License-Identifier: Apache-2.0
// Tells the scoreboard that this worker's loop turns: a store each tick, no system call beyond the
// timer's.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/uv/loop.h>

#include "base/uv/timer.h"
#include "ipc/scoreboard.h"

#include <functional>

namespace pronghorn::worker {

class Heartbeat {
 public:
  /// Beats every Gate::kTickMs from start() on; calls `on_tick` after each beat. Does not keep the
  /// loop running. Its end is no hang: the scoreboard says that nothing beats. `slot` outlives it.
  Heartbeat(Loop& loop, ipc::Slot& slot, std::function<void()> on_tick);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  void start();

 private:
  void beat();

  ipc::Slot& slot_;
  std::function<void()> on_tick_;
  Instant last_{};
  uv::Timer timer_;
};

}  // namespace pronghorn::worker

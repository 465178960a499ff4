// SPDX-License-Identifier: Apache-2.0
// What the workers tell the master and each other without messages: one slot per worker in a memfd,
// atomics only. It survives the worker, so counters never go back.
#pragma once

#include <pronghorn/base/counters.h>
#include <pronghorn/base/result.h>

#include "ipc/shared_memory.h"

#include <atomic>
#include <cstdint>
#include <utility>

namespace pronghorn::ipc {

enum class SlotState : std::uint32_t {
  empty,
  starting,
  ready,
  suspect,
  draining,
  waiting,
  failed,
  stopped
};
const char* slot_state_name(SlotState state) noexcept;

/// One worker's slot, alone on its cache lines. M: the master writes; W: the slot's worker writes.
struct alignas(128) Slot {
  std::atomic<std::uint32_t> state{0};            // M: SlotState
  std::atomic<std::uint32_t> pid{0};              // M
  std::atomic<std::uint64_t> generation{0};       // M
  std::atomic<std::int64_t> started_ms{0};        // M: monotonic_ms at exec
  std::atomic<std::uint64_t> exits{0};            // M
  std::atomic<std::int64_t> last_exit_ms{0};      // M
  std::atomic<std::int32_t> last_exit_code{-1};   // M: exit code, or -1
  std::atomic<std::int32_t> last_exit_signal{0};  // M
  RequestInHand last_exit_request;                // M: what it was doing

  std::atomic<std::int64_t> heartbeat_ms{0};  // W: monotonic_ms of its last tick; 0: not ticking
  std::atomic<std::uint64_t> loop_lag_us{0};  // W: how late the last tick was
  std::atomic<std::uint32_t> live{0};   // W sets 1 when it takes connections; M clears at its death
  std::atomic<std::uint32_t> armed{0};  // all: the gate's baton (worker/gate.h)
  WorkerCounters counters;  // W; the master zeroes connections and requests_active at a death
};

/// Begins with magic, version, slot size and count, so that another version refuses it.
class Scoreboard {
 public:
  /// A new one for `slots` workers (at least 1).
  static Result<Scoreboard> create(std::uint32_t slots);
  /// Maps an inherited one; the descriptor may be closed afterwards. @errors wrong magic, version
  /// or size
  static Result<Scoreboard> attach(int fd);

  std::uint32_t size() const noexcept { return slots_; }
  Slot& slot(std::uint32_t index) noexcept;
  const Slot& slot(std::uint32_t index) const noexcept;
  /// To be inherited; -1 after attach().
  int fd() const noexcept;

 private:
  Scoreboard(SharedMemory memory, std::uint32_t slots) noexcept
      : memory_(std::move(memory)), slots_(slots) {}

  SharedMemory memory_;
  std::uint32_t slots_;  // not the header's: a worker with a stray pointer may write over that
};

}  // namespace pronghorn::ipc

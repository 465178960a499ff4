// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_slots.h"

#include "ipc/boot.h"

#include <algorithm>
#include <utility>

namespace pronghorn::app {

ipc::Scoreboard* ClusterSlots::board() {
  if (!std::exchange(made_, true)) {
    if (auto created = ipc::Scoreboard::create(kMost)) {
      board_ = std::move(*created);
      taken_.assign(kMost, false);
    }
  }
  return board_ ? &*board_ : nullptr;
}

std::optional<std::uint32_t> ClusterSlots::take() {
  auto free = std::ranges::find(taken_, false);
  if (free == taken_.end()) return std::nullopt;
  *free = true;
  return static_cast<std::uint32_t>(free - taken_.begin());
}

void ClusterSlots::give_back(std::uint32_t slot) {
  taken_[slot] = false;
  ipc::Slot& memory = board_->slot(slot);
  memory.live.store(0);
  memory.heartbeat_ms.store(0);
  memory.counters.connections.set(0);
  memory.counters.requests_active.set(0);
}

std::optional<Millis> ClusterSlots::heartbeat_age(std::uint32_t slot) {
  const std::int64_t beat = board_->slot(slot).heartbeat_ms.load(std::memory_order_relaxed);
  if (beat == 0) return std::nullopt;
  return Millis(monotonic_ms() - beat);
}

std::string ClusterSlots::boot_text(std::uint32_t slot, int fd) {
  ipc::Boot boot;
  boot.slot = slot;
  boot.scoreboard_fd = fd;
  return boot.to_text();
}

}  // namespace pronghorn::app

// SPDX-License-Identifier: Apache-2.0
#include "worker/gate.h"

#include <pronghorn/base/clock.h>

#include <algorithm>
#include <unistd.h>

namespace pronghorn::worker {

Gate::Gate(ipc::Scoreboard& scoreboard, std::uint32_t self, std::vector<UniqueFd> doorbells,
           std::function<void(bool)> set_accepting)
    : scoreboard_(scoreboard),
      self_(self),
      doorbells_(std::move(doorbells)),
      set_accepting_(std::move(set_accepting)) {
  scoreboard_.slot(self_).armed.store(1);
}

bool Gate::is_fresh(const ipc::Slot& slot, std::int64_t now_ms) const noexcept {
  return slot.live.load(std::memory_order_relaxed) != 0 &&
         now_ms - slot.heartbeat_ms.load(std::memory_order_relaxed) <= kStaleMs;
}

bool Gate::is_over() const noexcept {
  std::int64_t now = monotonic_ms();
  std::uint64_t mine = scoreboard_.slot(self_).counters.connections.get();
  std::uint64_t sum = mine;
  std::uint64_t workers = 1;
  for (std::uint32_t i = 0; i < scoreboard_.size(); ++i) {
    const ipc::Slot& slot = scoreboard_.slot(i);
    if (i == self_ || !is_fresh(slot, now)) continue;
    sum += slot.counters.connections.get();
    ++workers;
  }
  // mine > mean + max(1, mean / 8), without a division
  return workers > 1 && mine * workers > sum + std::max(workers, sum / 8);
}

int Gate::least_loaded_other() const noexcept {
  std::int64_t now = monotonic_ms();
  int best = -1;
  std::uint64_t least = 0;
  for (std::uint32_t i = 0; i < scoreboard_.size(); ++i) {
    const ipc::Slot& slot = scoreboard_.slot(i);
    if (i == self_ || !is_fresh(slot, now)) continue;
    std::uint64_t load = slot.counters.connections.get();
    if (best < 0 || load < least) {
      best = static_cast<int>(i);
      least = load;
    }
  }
  return best;
}

void Gate::arm() noexcept {
  armed_ = true;
  scoreboard_.slot(self_).armed.store(1);
  set_accepting_(true);
}

void Gate::disarm() noexcept {
  // First we say that we sleep, then we look for a successor: two workers that gate at the same
  // moment cannot both see the other one armed.
  scoreboard_.slot(self_).armed.store(0);
  int successor = least_loaded_other();
  if (successor < 0) {
    scoreboard_.slot(self_).armed.store(1);
    return;
  }
  armed_ = false;
  set_accepting_(false);
  auto index = static_cast<std::uint32_t>(successor);
  if (scoreboard_.slot(index).armed.exchange(1) == 0) {
    std::uint64_t one = 1;
    // An eventfd that is full is already ringing.
    [[maybe_unused]] ssize_t n = ::write(doorbells_[index].get(), &one, sizeof one);
  }
}

bool Gate::takes_another() noexcept { return !is_over(); }

/// A worker that cannot accept must not be counted on: it would hold the baton and keep the mean
/// low.
void Gate::on_accept_failed() noexcept {
  ipc::Slot& slot = scoreboard_.slot(self_);
  failed_at_ = slot.counters.accepted.get();
  slot.live.store(0);
}

void Gate::on_wakeup_end() noexcept {
  ipc::Slot& slot = scoreboard_.slot(self_);
  if (failed_at_ && slot.counters.accepted.get() != *failed_at_) {
    failed_at_.reset();
    slot.live.store(1);
  }
  if (armed_ && is_over()) disarm();
}

void Gate::on_connection_closed() noexcept {
  if (!armed_ && !is_over()) arm();
}

void Gate::on_doorbell() noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] ssize_t n = ::read(doorbell(), &rings, sizeof rings);
  if (!armed_) arm();
}

void Gate::on_tick() noexcept {
  if (!armed_ && !is_over()) arm();
}

}  // namespace pronghorn::worker

// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <algorithm>
#include <limits>

namespace pronghorn {
namespace {

// The first tick that begins at or after the deadline: an entry looked at then has expired.
constexpr std::uint32_t tick_of(std::int64_t deadline_ms) noexcept {
  constexpr std::uint64_t kLast = std::numeric_limits<std::uint32_t>::max();
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(deadline_ms, 0));
  return static_cast<std::uint32_t>(
      std::min((ms + TimerWheel::kTickMs - 1) / TimerWheel::kTickMs, kLast));
}

}  // namespace

void WheelEntry::cancel() noexcept {
  if (next_ == nullptr) return;
  next_->prev_ = prev_;
  prev_->next_ = next_;
  next_ = prev_ = nullptr;
}

TimerWheel::TimerWheel(std::int64_t now_ms) : rings_(kSlots + 1), tick_(now_ms / kTickMs) {
  for (WheelEntry& head : rings_) head.next_ = head.prev_ = &head;
}

TimerWheel::~TimerWheel() {
  for (WheelEntry& head : rings_) {
    while (head.next_ != &head) head.next_->cancel();
  }
}

void TimerWheel::link(WheelEntry& entry) noexcept {
  // The current tick's slot has been looked at, and comes round in kSlots ticks.
  entry.visit_tick_ = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(entry.deadline_tick_, tick_ + 1, tick_ + kSlots - 1));
  WheelEntry& head = rings_[static_cast<std::size_t>(entry.visit_tick_ % kSlots)];
  entry.next_ = &head;
  entry.prev_ = head.prev_;
  head.prev_->next_ = &entry;
  head.prev_ = &entry;
}

void TimerWheel::set(WheelEntry& entry, std::int64_t deadline_ms) noexcept {
  entry.deadline_tick_ = tick_of(deadline_ms);
  // It cannot be looked at before the next tick. Nor does what stays move within its ring: a walk
  // that sets each anew comes to its end.
  if (entry.is_set() &&
      std::max<std::int64_t>(entry.deadline_tick_, tick_ + 1) >= entry.visit_tick_)
    return;
  entry.cancel();
  link(entry);
}

void TimerWheel::advance(std::int64_t now_ms, const std::function<void(WheelEntry&)>& expired) {
  std::int64_t target = now_ms / kTickMs;
  tick_ = std::max(tick_, target - kSlots);  // after a long sleep each slot is looked at once
  while (tick_ < target) {
    ++tick_;
    WheelEntry& head = rings_[static_cast<std::size_t>(tick_ % kSlots)];
    if (head.next_ == &head) continue;
    // The callback may set, cancel or destroy any entry, those of this ring as well: empty a copy.
    WheelEntry& due = rings_[kSlots];
    due.next_ = head.next_;
    due.prev_ = head.prev_;
    due.next_->prev_ = due.prev_->next_ = &due;
    head.next_ = head.prev_ = &head;
    while (due.next_ != &due) {
      WheelEntry& entry = *due.next_;
      entry.cancel();
      if (entry.deadline_tick_ <= target) {
        expired(entry);
      } else {
        link(entry);
      }
    }
  }
}

WheelEntry* TimerWheel::any() const noexcept {
  auto ring =
      std::ranges::find_if(rings_, [](const WheelEntry& head) { return head.next_ != &head; });
  return ring == rings_.end() ? nullptr : ring->next_;
}

void TimerWheel::for_each(const std::function<void(WheelEntry&)>& call) {
  for (WheelEntry& head : rings_) {
    for (WheelEntry *entry = head.next_, *next; entry != &head; entry = next) {
      next = entry->next_;  // it may move to another ring
      call(*entry);
    }
  }
}

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <algorithm>

namespace pronghorn {
namespace {

// The first tick that begins at or after the deadline: an entry looked at then has expired.
constexpr std::int64_t tick_of(std::int64_t deadline_ms) noexcept {
  return (deadline_ms + TimerWheel::kTickMs - 1) / TimerWheel::kTickMs;
}

}  // namespace

void WheelEntry::cancel() noexcept {
  if (next_ == nullptr) return;
  next_->prev_ = prev_;
  prev_->next_ = next_;
  next_ = prev_ = nullptr;
}

TimerWheel::TimerWheel(std::int64_t now_ms) : slots_(kSlots), tick_(now_ms / kTickMs) {
  for (WheelEntry& head : slots_) head.next_ = head.prev_ = &head;
}

TimerWheel::~TimerWheel() {
  for (WheelEntry& head : slots_) {
    while (head.next_ != &head) head.next_->cancel();
  }
}

void TimerWheel::link(WheelEntry& entry) noexcept {
  // The current tick's slot has been looked at, and comes round in kSlots ticks.
  entry.visit_tick_ = std::clamp(tick_of(entry.deadline_ms_), tick_ + 1, tick_ + kSlots - 1);
  WheelEntry& head = slots_[static_cast<std::size_t>(entry.visit_tick_ % kSlots)];
  entry.next_ = &head;
  entry.prev_ = head.prev_;
  head.prev_->next_ = &entry;
  head.prev_ = &entry;
}

void TimerWheel::set(WheelEntry& entry, std::int64_t deadline_ms) noexcept {
  entry.deadline_ms_ = deadline_ms;
  if (entry.is_set() && tick_of(deadline_ms) >= entry.visit_tick_) return;
  entry.cancel();
  link(entry);
}

void TimerWheel::advance(std::int64_t now_ms, const std::function<void(WheelEntry&)>& expired) {
  std::int64_t target = now_ms / kTickMs;
  tick_ = std::max(tick_, target - kSlots);  // after a long sleep each slot is looked at once
  while (tick_ < target) {
    ++tick_;
    WheelEntry& head = slots_[static_cast<std::size_t>(tick_ % kSlots)];
    if (head.next_ == &head) continue;
    // The callback may set, cancel or destroy any entry, those of this ring as well: empty a copy.
    WheelEntry due;
    due.next_ = head.next_;
    due.prev_ = head.prev_;
    due.next_->prev_ = due.prev_->next_ = &due;
    head.next_ = head.prev_ = &head;
    while (due.next_ != &due) {
      WheelEntry& entry = *due.next_;
      entry.cancel();
      if (entry.deadline_ms_ <= now_ms) {
        expired(entry);
      } else {
        link(entry);
      }
    }
  }
}

bool TimerWheel::empty() const noexcept {
  return std::ranges::all_of(slots_, [](const WheelEntry& head) { return head.next_ == &head; });
}

}  // namespace pronghorn

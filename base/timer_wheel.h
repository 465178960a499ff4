// SPDX-License-Identifier: Apache-2.0
// Deadlines of many connections on one timer: O(1) to set, move and cancel, 100 ms resolution.
// Pure: the owner calls advance() from its one loop timer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace pronghorn {

class TimerWheel;

/// A deadline, base class of who waits for it; at most one at a time. Destroying it cancels it. It
/// is part of each idle connection's memory: times are ticks in 32 bits, which end 13 years after
/// boot.
class WheelEntry {
 public:
  WheelEntry() = default;
  ~WheelEntry() { cancel(); }
  WheelEntry(const WheelEntry&) = delete;
  WheelEntry& operator=(const WheelEntry&) = delete;

  bool is_set() const noexcept { return next_ != nullptr; }
  void cancel() noexcept;

 private:
  friend class TimerWheel;
  WheelEntry* next_ = nullptr;
  WheelEntry* prev_ = nullptr;
  std::uint32_t deadline_tick_ = 0;  // the first that begins at or after the deadline
  std::uint32_t visit_tick_ = 0;     // when its slot comes round; never later than that
};

/// A hashed wheel. Entries fire at or up to one tick after their deadline, never before it.
class TimerWheel {
 public:
  static constexpr std::int64_t kTickMs = 100;
  static constexpr std::int64_t kSlots = 512;  // 51.2 s a turn; a longer deadline takes several

  explicit TimerWheel(std::int64_t now_ms);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Sets or moves the deadline (monotonic_ms() + delay). Moving it is a store unless that is
  /// before its slot comes round: the entry is looked at again then. A deadline that has passed
  /// fires within a tick.
  void set(WheelEntry& entry, std::int64_t deadline_ms) noexcept;
  /// Calls `expired` for each entry whose deadline has passed; an entry is off the wheel when
  /// called, and the callback may set or destroy any entry.
  void advance(std::int64_t now_ms, const std::function<void(WheelEntry&)>& expired);
  bool empty() const noexcept { return any() == nullptr; }
  /// One that is set; null: none is.
  WheelEntry* any() const noexcept;
  /// Calls `call` for each that is set, those that an advance() in progress has not come to as
  /// well. It may set its entry, and must not destroy any.
  void for_each(const std::function<void(WheelEntry&)>& call);

 private:
  void link(WheelEntry& entry) noexcept;
  std::vector<WheelEntry> rings_;  // their heads: of each slot, and of what is due in advance()
  std::int64_t tick_;              // the last one looked at
};

}  // namespace pronghorn

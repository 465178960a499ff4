// SPDX-License-Identifier: Apache-2.0
// A timer of the loop (uv_timer_t). Not for connections: those use base/timer_wheel.h.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/uv/loop.h>

#include <functional>
#include <memory>

namespace pronghorn::uv {

class Timer {
 public:
  Timer(Loop& loop, std::move_only_function<void()> on_timeout);
  ~Timer();
  Timer(Timer&&) noexcept;
  Timer& operator=(Timer&&) noexcept;

  /// Fires once after `delay`, or again each `repeat` when that is not zero. Starting again moves
  /// it.
  void start(Millis delay, Millis repeat = Millis(0));
  void stop() noexcept;
  bool is_active() const noexcept;
  /// An un-referenced timer does not keep the loop running.
  void unref() noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  std::unique_ptr<Impl, Close> impl_;
};

}  // namespace pronghorn::uv

// SPDX-License-Identifier: Apache-2.0
// A signal as a loop event (uv_signal_t).
#pragma once

#include <pronghorn/base/uv/loop.h>

#include <functional>
#include <memory>

namespace pronghorn::uv {

class Signal {
 public:
  /// Calls `on_signal` for each delivery of `signum`. Does not keep the loop running.
  Signal(Loop& loop, int signum, std::move_only_function<void()> on_signal);
  ~Signal();
  Signal(Signal&&) noexcept;
  Signal& operator=(Signal&&) noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  std::unique_ptr<Impl, Close> impl_;
};

}  // namespace pronghorn::uv

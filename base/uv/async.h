// SPDX-License-Identifier: Apache-2.0
// A call into the loop from any thread (uv_async_t): how a std::stop_token's stop arrives.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include <functional>
#include <memory>

namespace pronghorn::uv {

class Async {
 public:
  /// Does not keep the loop running.
  Async(Loop& loop, std::move_only_function<void()> on_sent);
  ~Async();
  Async(Async&&) noexcept;
  Async& operator=(Async&&) noexcept;

  /// Calls `on_sent` from the loop, once for any number of sends before it. From any thread, which
  /// must not be sending any more when this is destroyed.
  void send() noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  std::unique_ptr<Impl, Close> impl_;
};

}  // namespace pronghorn::uv

// SPDX-License-Identifier: Apache-2.0
// Readiness of a descriptor that somebody else owns (uv_poll_t): listeners, eventfds, channels.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>

#include <functional>
#include <memory>

namespace pronghorn::uv {

class Poll {
 public:
  enum Events : int { kReadable = 1, kWritable = 2 };  // UV_READABLE, UV_WRITABLE
  /// `events` is what is ready, or 0 with `error` (an errno value) when polling failed.
  using Callback = std::move_only_function<void(int events, int error)>;

  /// Watches `fd`, which must stay open until the Poll is destroyed, and must not be watched twice
  /// in one loop. libuv sets O_NONBLOCK on the descriptor's open file description.
  static Result<Poll> open(Loop& loop, int fd, Callback callback);
  ~Poll();
  Poll(Poll&&) noexcept;
  Poll& operator=(Poll&&) noexcept;

  /// Changes what is waited for; 0 stops. The same set again costs nothing.
  void want(int events);
  int wanted() const noexcept;
  void unref() noexcept;
  void ref() noexcept;

 private:
  struct Impl;
  struct Close {
    void operator()(Impl*) const noexcept;
  };
  explicit Poll(std::unique_ptr<Impl, Close> impl);
  std::unique_ptr<Impl, Close> impl_;
};

}  // namespace pronghorn::uv

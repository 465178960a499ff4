// SPDX-License-Identifier: Apache-2.0
// The event loop that everything of one thread runs on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

struct uv_loop_s;

namespace pronghorn {

/// An event loop (libuv's uv_loop_t). Not thread-safe; handles must not outlive it.
class Loop {
 public:
  /// Throws std::system_error when the kernel has no descriptors left for it.
  Loop();
  /// Runs until the handles that their owners have destroyed are closed. A handle that is still
  /// owned is a bug, and asserts.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until nothing is left to wait for or stop() is called. Returns exit_code().
  int run();
  /// Makes run() return after the current callbacks.
  void stop() noexcept;
  /// What run() returns; 0 unless set.
  void set_exit_code(int code) noexcept { exit_code_ = code; }
  int exit_code() const noexcept { return exit_code_; }

  /// Milliseconds of the monotonic clock, taken once per turn of the loop: cheap to call.
  std::int64_t now_ms() const noexcept;

  /// Calls `fn` once, after the callbacks of this turn (as Node's setImmediate).
  void defer(std::move_only_function<void()> fn);

  /// Calls `fn` once, before any event of a handle that is made now (as Node's process.nextTick).
  void soon(std::move_only_function<void()> fn);

  /// Keeps `what` alive until release() of the same pointer, or until the loop goes: for operations
  /// that outlive what their caller holds of them.
  void hold(std::shared_ptr<void> what);
  void release(const void* what) noexcept;

  /// What belongs to all of a loop and is found by it: `key` is the address of a constant of who
  /// attaches. Not owned; null: no more.
  void attach(const void* key, void* what);
  void* attached(const void* key) const noexcept;

  /// libuv's own loop, for the handles of base/uv.
  uv_loop_s* native() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
  int exit_code_ = 0;
};

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// Waits for the end of one launched process on the loop, and signals it, both through its pidfd.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/process/exit.h>

#include "process/launch.h"

#include <functional>
#include <memory>

namespace pronghorn::process {

class Reaper {
 public:
  using OnExit = std::move_only_function<void(const Exit&)>;

  /// `on_exit` is called once, from the loop, after the process was reaped.
  static Result<Reaper> watch(Loop& loop, Launched launched, OnExit on_exit);
  /// Leaves the process alone and calls nothing any more; it is still reaped while the loop runs,
  /// which it does not keep running.
  ~Reaper();
  Reaper(Reaper&&) noexcept;
  Reaper& operator=(Reaper&&) noexcept;

  int pid() const noexcept;
  /// @returns 0, or an errno value; ESRCH when it is already reaped
  int kill(int signum) noexcept;
  bool is_running() const noexcept;
  void ref() noexcept;
  void unref() noexcept;

 private:
  struct Impl;
  explicit Reaper(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace pronghorn::process

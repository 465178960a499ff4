// SPDX-License-Identifier: Apache-2.0
// What a program wants to be called for in each worker (App::on_start, App::on_stop).
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>

#include <functional>
#include <vector>

namespace pronghorn::app {

struct WorkerHooks {
  std::vector<std::move_only_function<Result<void>()>> start;
  std::vector<std::move_only_function<void()>> stop;

  /// In their order, up to the first that fails. @errors its own, or what it threw
  Result<void> call_start();
  /// From the last to the first. What one throws is logged, and keeps no other from its turn.
  void call_stop() noexcept;
};

/// What a worker knows of the program that it is. Null: nobody asks.
struct WorkersProgram {
  Loop** loop = nullptr;         ///< App::loop(): set while the loop is there
  WorkerHooks* hooks = nullptr;  ///< outlives the worker
};

}  // namespace pronghorn::app

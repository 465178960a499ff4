// SPDX-License-Identifier: Apache-2.0
// What exec does with a ChildProcess that others cannot: be told first, and go on when the user has
// dropped it.
#pragma once

#include <pronghorn/process/child_process.h>

#include "process/validate.h"

#include <functional>
#include <memory>

namespace pronghorn::process {

/// Called before the listeners of the same event, also when there is no ChildProcess any more. Each
/// may drop the ChildProcess.
struct ChildHooks {
  std::move_only_function<void(const Error&)> on_error;
  /// `timeout` is over; the signal is sent after it. Destroying the streams here makes close come
  /// as soon as the process is gone, also when a grandchild holds their other ends.
  std::move_only_function<void()> on_timeout;
  std::move_only_function<void(const Exit&)> on_close;
};

struct ChildProcessAccess {
  using State = ChildProcess::State;  // process/child_state.h

  /// From now on the loop holds the state until close: dropping the ChildProcess only silences the
  /// user's listeners. The hooks may keep a State*, which is good until on_close returns; a hook
  /// that did not run when the loop goes is destroyed with it.
  static void hold(ChildProcess& child, ChildHooks hooks);
  /// Why it could not be started, as soon as spawn has returned; null when it was.
  static const Error* start_error(const ChildProcess& child) noexcept;
  static State& state(ChildProcess& child) noexcept;
  static ChildProcess make(std::shared_ptr<State> state);
  /// One that could not be started, whatever `why`: error and close follow from the loop.
  static ChildProcess failed(Loop& loop, Command command, Error why);
};

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// What ChildProcess and Stdio may do to a Stream that its users may not.
#pragma once

#include "process/stream.h"

#include <functional>
#include <string_view>

namespace pronghorn::process {

struct StreamAccess {
  /// After the child's exit: what nobody reads is read and thrown away, so that on_close comes. A
  /// stream that has a listener for data or a pipe(), that its user paused, or that was lent, is
  /// its user's matter.
  static void drain_after_exit(Stream& stream);
  /// Its descriptor becomes another child's: what it holds is not for us to throw away.
  static void lend(const Stream& stream) noexcept;
  /// `take` gets all data, before the listeners for it. It must not destroy the Stream.
  static void collect(Stream& stream, std::move_only_function<void(std::string_view)> take);
  /// No listener is called any more, but what collect() was given. Reading goes on.
  static void silence(Stream& stream) noexcept;
  /// Called once, from the loop: after the close listeners, or when the Stream was destroyed
  /// before. Never for one that is no pipe.
  static void on_gone(Stream& stream, std::move_only_function<void()> listener);
};

}  // namespace pronghorn::process

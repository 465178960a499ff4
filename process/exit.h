// SPDX-License-Identifier: Apache-2.0
// How a process ended.
#pragma once

#include <optional>

namespace pronghorn::process {

/// Exactly one is set. A process that could not be started has the negative errno as its code, as
/// in Node (-2: ENOENT); -ECHILD: the program ignores SIGCHLD, or waited for the process itself.
struct Exit {
  std::optional<int> code{};
  std::optional<int> signal{};
  bool operator==(const Exit&) const = default;
};

}  // namespace pronghorn::process

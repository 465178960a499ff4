// SPDX-License-Identifier: Apache-2.0
// The environment that a child gets. Used by ChildProcess.
#pragma once

#include <string>
#include <vector>

namespace pronghorn::process {

/// This process's environment without `unset`, then `set` and at last `last` ("KEY=value" each),
/// which replace what has their names before them.
std::vector<std::string> child_environment(const std::vector<std::string>& set,
                                           const std::vector<std::string>& unset,
                                           const std::vector<std::string>& last);

}  // namespace pronghorn::process

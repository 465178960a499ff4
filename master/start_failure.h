// SPDX-License-Identifier: Apache-2.0
// Why the master could not start, as people read it.
#pragma once

#include <string>

namespace pronghorn::master {

struct StartFailure {
  int exit_code = 1;
  /// After "pronghorn: error: "; further lines are indented facts and hints. No newline at the end.
  std::string text;
};

}  // namespace pronghorn::master

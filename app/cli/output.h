// SPDX-License-Identifier: Apache-2.0
// What a command that ends at once has to say: pure until emit().
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::app::cli {

struct Output {
  std::string out;  ///< what was asked for
  std::string err;  ///< everything else
  int code = 0;

  /// Writes both to their streams. @returns the exit code for main(): `code`, or 1 when standard
  /// output takes no more.
  int emit() const;
};

/// "PROGRAM: error: TEXT" and at most three indented lines.
Output failure(int code, std::string_view program, std::string_view text,
               const std::vector<std::string>& hints = {}, bool colour = false);

}  // namespace pronghorn::app::cli

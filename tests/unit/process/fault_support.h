// SPDX-License-Identifier: Apache-2.0
// What the fault tests measure: memory.
#pragma once

#include "tests/unit/base/sanitized.h"
#include "tests/unit/process/process_fixture.h"

#include <fstream>
#include <string>

namespace pronghorn::test {

/// The highest resident size so far, in KiB, counted from the last start_peak().
inline long peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long value = 0;
    if (word == "VmHWM:" && status >> value) return value;
  }
  FAIL("no VmHWM");
  return 0;
}

/// Forgets the peak: peak_kib() is what is resident now.
inline long start_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak_kib();
}

/// This program again as a child with a channel: the skipped case `name`.
inline void fork_helper(Child& child, Loop& loop, const std::string& name) {
  child.take(process::fork(loop, "--test-case=" + name, {"--no-skip", "--minimal"}));
}

}  // namespace pronghorn::test

// SPDX-License-Identifier: Apache-2.0
// The processes of this machine, from /proc. Called by signal_tree.
#pragma once

#include <pronghorn/base/result.h>

#include <optional>
#include <vector>

namespace pronghorn::process {

struct ProcessEntry {
  int pid = 0;
  int parent = 0;
  int group = 0;
  char state = 0;                ///< as in proc(5): T is stopped, Z a zombie
  int threads = 0;               ///< a zombie with several lives on in the others
  unsigned long long start = 0;  ///< with `pid`, a name that is never given again

  bool is_dead() const noexcept { return (state == 'Z' || state == 'X') && threads <= 1; }
};

/// Nothing when it is gone.
std::optional<ProcessEntry> read_process(int pid);
/// Those that were there all the time are in it. @errors EMFILE, ENFILE, ENOMEM, EACCES
Result<std::vector<ProcessEntry>> read_processes();

}  // namespace pronghorn::process

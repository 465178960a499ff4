// SPDX-License-Identifier: Apache-2.0
// A process and all that are below it. Called by ChildProcess::kill_tree.
#pragma once

#include <pronghorn/base/result.h>

#include <cstddef>

namespace pronghorn::process {

struct TreeRoot {
  int pid = -1;
  bool is_running = false;  ///< not reaped yet: the number is still our child's
  bool detached = false;    ///< `pid` is a process group, whose members belong to the tree
};

/// Signals a child of ours and its descendants, each once. They are stopped before, so that none
/// escapes by forking meanwhile, and go on afterwards, unless `signum` stops them or they stood
/// already. 0 stops nobody, and counts. The work grows with the number of processes on the machine.
///
/// Not found are those below a parent that has ended, unless they are in the group or below
/// something that is.
/// @returns how many were signalled  @errors EPERM when that was the answer for all; EMFILE,
/// ENFILE:
///          none was signalled
Result<std::size_t> signal_tree(const TreeRoot& root, int signum);

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// What every process of ours sets about itself: limits, stray descriptors, its name in ps.
#pragma once

#include <string>

namespace pronghorn::master {

/// To be called first in main(): descriptors that were inherited by accident become close-on-exec,
/// the descriptor limit is raised to the hard limit, SIGPIPE is ignored.
void prepare_process() noexcept;

/// Lets the kernel kill a worker before the master when memory is out: lower for a master where
/// that is permitted, 0 for a worker.
void prefer_as_oom_victim(bool preferred) noexcept;

/// Makes room for titles; call it first in main() and use what it returns as argv.
char** keep_arguments(int argc, char** argv);
/// "pronghorn: master", "pronghorn: worker 1": in ps and top, argv and the thread's name.
void set_title(const std::string& title) noexcept;

}  // namespace pronghorn::master

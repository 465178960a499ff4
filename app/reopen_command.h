// SPDX-License-Identifier: Apache-2.0
// `pronghorn reopen`: asks a master to open the access log anew, and comes back when no worker
// writes to the old file any more: exit code 0; 1 when that is not so, 69 when nobody answers.
#pragma once

#include "app/cli/command.h"
#include "master/reopen_outcome.h"

namespace pronghorn::app {

/// @returns the exit code; everything was printed
int run_reopen(const cli::Reopen& command);

/// What is said of an outcome, with its exit code.
cli::Output reopen_output(const master::ReopenOutcome& outcome, bool colour);

}  // namespace pronghorn::app

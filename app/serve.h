// SPDX-License-Identifier: Apache-2.0
// `pronghorn serve`, and every program built on App: becomes a master, or a worker when a primary
// started this process.
#pragma once

#include <pronghorn/server/router.h>

#include "app/cli/command.h"
#include "app/worker_hooks.h"

#include <string>

namespace pronghorn::app {

/// A master of ours names the file that it read in PRONGHORN_CONFIG; empty: there is none.
std::string config_file_of_master();

/// Runs until stopped. `argv` is main's. @returns the exit code; errors were printed
int serve(const cli::Sources& sources, int argc, char** argv, Router router,
          const WorkersProgram& program = {});

}  // namespace pronghorn::app

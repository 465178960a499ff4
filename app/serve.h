// SPDX-License-Identifier: Apache-2.0
// `pronghorn serve`, and every program built on App: becomes a master, or a worker when a primary
// started this process.
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/router.h>

#include "app/cli/command.h"

namespace pronghorn::app {

/// Runs until stopped. `argv` is main's. @returns the exit code; errors were printed
/// @param loop  where a worker says which loop it runs on, while it does; null: nobody asks
int serve(const cli::Sources& sources, int argc, char** argv, Router router, Loop** loop = nullptr);

}  // namespace pronghorn::app

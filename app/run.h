// SPDX-License-Identifier: Apache-2.0
// `pronghorn run`: a foreign program as supervised workers, and nothing beside it.
#pragma once

#include "app/cli/command.h"

namespace pronghorn::app {

/// Runs until stopped. @returns the exit code; errors were printed
int run(const cli::Run& command, int argc, char** argv);

}  // namespace pronghorn::app

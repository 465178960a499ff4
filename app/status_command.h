// SPDX-License-Identifier: Apache-2.0
// `pronghorn status`: asks a master on its control socket and shows the answer; a health check by
// its exit code: 0 OK, 1 degraded or down, 69 nobody answers.
#pragma once

#include "app/cli/command.h"
#include "master/status.h"

#include <string>

namespace pronghorn::app {

/// @returns the exit code; everything was printed
int run_status(const cli::Status& command);

/// The table. `columns` is the terminal's width, 0: no limit. Colours only the verdict.
std::string status_text(const master::ServerStatus& status, unsigned columns, bool colour);

}  // namespace pronghorn::app

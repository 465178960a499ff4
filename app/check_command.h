// SPDX-License-Identifier: Apache-2.0
// `pronghorn check FILE`: every mistake of a file; starts, opens for writing and changes nothing.
#pragma once

#include "app/cli/command.h"

namespace pronghorn::app {

cli::Output check_command(const cli::Check& check, const config::Environment& environment);

}  // namespace pronghorn::app

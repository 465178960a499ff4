// SPDX-License-Identifier: Apache-2.0
// `pronghorn config`: the values that serve would use, each with its origin.
#pragma once

#include "app/cli/command.h"

namespace pronghorn::app {

cli::Output config_command(const cli::ShowConfig& show, const config::Environment& environment);

}  // namespace pronghorn::app

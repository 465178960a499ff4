// SPDX-License-Identifier: Apache-2.0
// Finds the server that a command means, and asks it.
#pragma once

#include <pronghorn/base/clock.h>

#include "app/cli/command.h"

#include <expected>
#include <string>
#include <string_view>

namespace pronghorn::app {

/// The answer's line to the control command `name`. @errors what to print: no server (69), several
/// (2)
std::expected<std::string, cli::Output> ask_server(const cli::Ask& asked, std::string_view name,
                                                   Millis timeout = Millis(3'000));
/// Exit code 69, with why.
cli::Output unavailable(const cli::Ask& asked, const std::string& text,
                        const std::vector<std::string>& hints = {});

}  // namespace pronghorn::app

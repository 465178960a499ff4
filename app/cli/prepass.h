// SPDX-License-Identifier: Apache-2.0
// Refuses unknown options and commands, with what was meant, before CLI11 can misread them (it
// takes the value of an unknown option for DIR).
#pragma once

#include "app/cli/output.h"
#include "app/cli/table.h"

#include <optional>
#include <string>
#include <vector>

namespace pronghorn::app::cli {

/// @param program   what errors begin with
/// @param arguments those after the command's name
/// @param has_commands  false: a program without commands
std::optional<Output> refuse_unknown(const std::string& program, CommandBit command,
                                     const std::vector<std::string>& arguments, bool has_commands);

/// Cuts what stands behind the first word that is no option, and returns it: it belongs to the
/// program that is run. --workers, --node, --scheduling and --sticky may follow that word directly;
/// "--" ends them, and goes.
std::vector<std::string> split_behind_argument(std::vector<std::string>& arguments,
                                               CommandBit command);

/// `pronghorn sevre`: not an option, not a command.
Output unknown_command(const std::string& program, const std::string& word);

}  // namespace pronghorn::app::cli

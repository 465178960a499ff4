// SPDX-License-Identifier: Apache-2.0
// From the sources that a command line names to an effective configuration.
#pragma once

#include "app/cli/command.h"
#include "config/load.h"

#include <expected>

namespace pronghorn::app::cli {

struct Loaded {
  config::Outcome outcome;  ///< without errors
  std::string warnings;     ///< for standard error; empty: none
};

/// Finds the file (docs/reference/configuration.md, "Which file"), loads it, and checks DIR.
/// @param needs_source  whether it is a mistake to have neither DIR nor a file
/// @errors what to emit(): every problem in the form of people, and the exit code
std::expected<Loaded, Output> load_sources(const Sources& sources,
                                           const config::Environment& environment,
                                           bool needs_source);

/// All problems and the line that counts them; what check and serve print.
std::string problems_text(const config::Outcome& outcome, std::string_view program, bool colour);

}  // namespace pronghorn::app::cli

// SPDX-License-Identifier: Apache-2.0
// Command lines to commands. Nothing is looked up on disk but a DIR for a suggestion.
#pragma once

#include "app/cli/command.h"

namespace pronghorn::app::cli {

/// `pronghorn COMMAND …`
Parsed parse_program(int argc, const char* const* argv);
/// `hello [DIR] --listen … --workers …`: a library user's program; Serve or Output.
Parsed parse_serve_only(int argc, const char* const* argv);

}  // namespace pronghorn::app::cli

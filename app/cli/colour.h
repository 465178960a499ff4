// SPDX-License-Identifier: Apache-2.0
// Whether a stream gets colour: --color > NO_COLOR > CLICOLOR_FORCE, FORCE_COLOR > TERM=dumb >
// terminal.
#pragma once

#include "config/substitute.h"

#include <string_view>

namespace pronghorn::app::cli {

enum class Colour { automatic, always, never };

/// The words of --color; false when it is none of them.
bool parse_colour(std::string_view word, Colour& colour) noexcept;

bool use_colour(Colour asked, const config::Environment& environment, bool is_terminal);
/// For a stream of this process, with its environment.
bool use_colour(Colour asked, int fd);

}  // namespace pronghorn::app::cli

// SPDX-License-Identifier: Apache-2.0
#include "app/cli/colour.h"

#include "config/load.h"

#include <unistd.h>

namespace pronghorn::app::cli {

bool parse_colour(std::string_view word, Colour& colour) noexcept {
  if (word == "auto") {
    colour = Colour::automatic;
  } else if (word == "always") {
    colour = Colour::always;
  } else if (word == "never") {
    colour = Colour::never;
  } else {
    return false;
  }
  return true;
}

bool use_colour(Colour asked, const config::Environment& environment, bool is_terminal) {
  if (asked != Colour::automatic) return asked == Colour::always;
  const auto value = [&](std::string_view name) -> std::string_view {
    const std::string* found = config::find_variable(environment, name);
    return found == nullptr ? std::string_view() : std::string_view(*found);
  };
  if (!value("NO_COLOR").empty()) return false;  // no-color.org: present and not empty
  for (const std::string_view name : {"CLICOLOR_FORCE", "FORCE_COLOR"}) {
    if (!value(name).empty() && value(name) != "0") return true;
  }
  return value("TERM") != "dumb" && is_terminal;
}

bool use_colour(Colour asked, int fd) {
  return use_colour(asked, config::current_environment(), ::isatty(fd) == 1);
}

}  // namespace pronghorn::app::cli

// SPDX-License-Identifier: Apache-2.0
// The three sources of values above the defaults, each written into an Outcome.
#pragma once

#include "config/load.h"

namespace pronghorn::config {

/// outcome.document -> outcome.config
void apply_document(Outcome& outcome, const Environment& environment);
void apply_routes(Outcome& outcome, const Node& routes, const Environment& environment);
void apply_types(Outcome& outcome, const Node& types, const Environment& environment);
void apply_programs(Outcome& outcome, const Node& programs, const Environment& environment);
void apply_environment(Outcome& outcome, const Environment& environment);
void apply_command_line(Outcome& outcome, const std::vector<Override>& overrides);

/// A file's text with its variables put in; reports and returns false when that fails.
bool substitute_node(Outcome& outcome, Node& node, const Environment& environment);

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
// The three sources of values above the defaults, each written into an Outcome.
#pragma once

#include "config/load.h"
#include "config/schema.h"

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace pronghorn::config {

/// The arrays of tables that the default site and [[hosts]] have.
inline constexpr std::array<std::string_view, 5> kSiteRules = {
    "cache_control", "headers", "redirects", "error_pages", "rate_limits"};

/// outcome.document -> outcome.config
void apply_document(Outcome& outcome, const Environment& environment);
void apply_routes(Outcome& outcome, const Node& routes, const Environment& environment);
void apply_types(Outcome& outcome, const Node& types, const Environment& environment);
void apply_listeners(Outcome& outcome, const Node& listeners, const Environment& environment);
/// Last: what the listeners' tables say on top of all else.
void settle_listeners(Outcome& outcome);
void apply_programs(Outcome& outcome, const Node& programs, const Environment& environment);
void apply_hosts(Outcome& outcome, const Node& hosts, const Environment& environment);
/// One of kSiteRules. @param prefix  "" or "hosts."
/// @returns whether nothing was wrong
bool apply_site_rules(Outcome& outcome, const Member& rules, const Environment& environment,
                      std::string_view prefix, Site& site, SiteOrigins& origins);
void apply_environment(Outcome& outcome, const Environment& environment);
void apply_command_line(Outcome& outcome, const std::vector<Override>& overrides);

/// The value of a key in the file; reports and is empty when it is wrong.
/// @param subject  what messages call it: "'workers'"
std::optional<Value> read_value(Outcome& outcome, const Key& key, Node node, Origin& origin,
                                const Environment& environment, std::string_view subject);

/// A file's text with its variables put in; reports and returns false when that fails.
bool substitute_node(Outcome& outcome, Node& node, const Environment& environment);

}  // namespace pronghorn::config

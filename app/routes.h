// SPDX-License-Identifier: Apache-2.0
// The configuration's own answers in a router: [[routes]] and the sites.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>
#include <pronghorn/server/router.h>

#include <functional>
#include <string>
#include <vector>

namespace pronghorn::app {

/// Adds [[routes]]. @errors a malformed pattern, or one that the program has taken
Result<void> add_configured_routes(Router& router, const config::Config& config);

/// For config::Inputs: what a router says of the routes of a file.
std::function<Result<void>(const config::Route&)> route_check();

/// Puts the sites of the configuration into the router: the files as its fallback, the rules around
/// every answer; nothing without a root, hosts or rules. `hidden` are files that are never served
/// though they lie there. @errors a root cannot be opened
Result<void> add_sites(Loop& loop, Router& router, const config::Config& config,
                       const std::vector<std::string>& hidden);

}  // namespace pronghorn::app

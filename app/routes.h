// SPDX-License-Identifier: Apache-2.0
// The configuration's own answers in a router: [[routes]] and the files of `root`.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>
#include <pronghorn/server/router.h>

#include <string>
#include <vector>

namespace pronghorn::app {

/// Adds [[routes]]. @errors a malformed pattern, or one that the program has taken
Result<void> add_configured_routes(Router& router, const config::Config& config);

/// Makes the files of `config.root` the router's fallback; nothing without a root. `hidden` are
/// files that are never served though they lie there. @errors the root cannot be opened
Result<void> add_files(Router& router, const config::Config& config,
                       std::vector<std::string> hidden);

}  // namespace pronghorn::app

// SPDX-License-Identifier: Apache-2.0
// What main() becomes when nobody started it as a worker: composes master::Master, shows the panel
// and the ready line.
#pragma once

#include <pronghorn/server/router.h>

#include "app/cli/command.h"
#include "config/load.h"

#include <string>
#include <vector>

namespace pronghorn::app {

struct MasterStart {
  cli::Sources sources;
  config::Outcome loaded;         ///< without errors
  std::vector<std::string> argv;  ///< the workers are started with the same
};

/// `router` is only checked against the configuration's routes: no request is answered here.
/// @returns the exit code; errors were printed
int run_master(MasterStart start, Router router);

}  // namespace pronghorn::app

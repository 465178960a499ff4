// SPDX-License-Identifier: Apache-2.0
// What main() becomes in a process that a primary started: composes worker::Worker.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/server/router.h>

#include "app/worker_hooks.h"
#include "config/load.h"
#include "ipc/boot.h"

#include <functional>
#include <optional>
#include <string>

namespace pronghorn::app {

struct WorkerStart {
  UniqueFd channel;
  std::string unique_id;          ///< NODE_UNIQUE_ID
  std::optional<ipc::Boot> boot;  ///< none: the primary is not ours
  std::string config_file;        ///< never served, wherever it lies; empty: none
  bool colour = false;
  /// The effective configuration when the primary did not send one.
  std::function<Result<config::Config>()> own_config;
  WorkersProgram program;
};

/// Serves until the primary says stop or is gone. @returns the exit code
int run_worker(WorkerStart start, Router router);

}  // namespace pronghorn::app

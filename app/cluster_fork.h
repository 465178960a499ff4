// SPDX-License-Identifier: Apache-2.0
// From ClusterSettings to a process: what is checked, what is started. Used by Cluster.
#pragma once

#include <pronghorn/app/cluster_settings.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/process/child_process.h>
#include <pronghorn/process/environment.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::app {

/// This process's argv, as the kernel keeps it.
std::vector<std::string> own_command();

/// What is in force before any setup_primary(), `args` but for argv[0].
ClusterSettings default_settings(const std::vector<std::string>& command);
/// `settings` with what `changes` says.
ClusterSettings merged(ClusterSettings settings, const ClusterSettings& changes);
/// @errors Errc::invalid_arg_value, ipc_required, ipc_one_pipe; each names the field
Result<void> check_settings(const ClusterSettings& settings);

/// Whether what is started is this program.
bool starts_this_program(const ClusterSettings& settings) noexcept;

struct WorkerStart {
  std::uint64_t id = 0;
  const process::Environment& env;
  const std::string& argv0;  ///< of this program
  /// For a worker that is this program: its slot, and the scoreboard's descriptor here.
  std::optional<std::uint32_t> slot{};
  int scoreboard_fd = -1;
};
/// Whatever goes wrong comes to the child's on_error and on_close.
process::ChildProcess start_worker(Loop& loop, const ClusterSettings& settings,
                                   const WorkerStart& start);

}  // namespace pronghorn::app

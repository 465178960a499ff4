// SPDX-License-Identifier: Apache-2.0
// What is the same for all workers of a group: of our own program, or of a foreign one.
#pragma once

#include <pronghorn/process/options.h>

#include "master/identity.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::master {

/// Borrowed descriptors: they stay open as long as the master.
struct WorkerImage {
  /// Of a foreign program: how people call it. Empty: our own.
  std::string title;
  std::string exec_path =
      "/proc/self/exe";  // a binary that was replaced or deleted on disk still starts
  std::vector<std::string> argv;
  std::optional<Identity> identity;

  // Of our own program only.
  std::string config_path;  ///< of the file that was read, which is never served; empty: none
  int config_fd = -1;
  int scoreboard_fd = -1;
  int clients_fd = -1;
  int access_log_fd = -1;
  std::vector<int> root_fds;
  std::vector<int> doorbells;

  bool is_program() const noexcept { return !title.empty(); }
};

/// `unique_id` is Node's NODE_UNIQUE_ID.
process::SpawnOptions spawn_options(const WorkerImage& image, std::uint32_t slot,
                                    std::uint64_t generation, std::uint64_t unique_id);

}  // namespace pronghorn::master

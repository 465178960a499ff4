// SPDX-License-Identifier: Apache-2.0
// The scoreboard of a Cluster's workers that are this program, so that their counters can be read:
// least_connections and reuseport go by it. Owned by Cluster.
#pragma once

#include <pronghorn/base/clock.h>

#include "ipc/scoreboard.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::app {

class ClusterSlots {
 public:
  static constexpr std::uint32_t kMost = 256;

  /// Makes it, the first time. Null when the kernel has no descriptor or memory left for it.
  ipc::Scoreboard* board();
  /// A free slot, as new; empty when there is none, or no scoreboard.
  std::optional<std::uint32_t> take();
  /// Its worker is dead.
  void give_back(std::uint32_t slot);
  /// How long ago its worker has shown that its loop turns; empty where it does not show it.
  std::optional<Millis> heartbeat_age(std::uint32_t slot);
  /// What a worker with `slot` finds in Boot::kVariable when the scoreboard is its descriptor `fd`.
  static std::string boot_text(std::uint32_t slot, int fd);

 private:
  std::optional<ipc::Scoreboard> board_;
  bool made_ = false;
  std::vector<bool> taken_;
};

}  // namespace pronghorn::app

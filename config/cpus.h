// SPDX-License-Identifier: Apache-2.0
// How many CPUs this process may use: `workers = "auto"`.
#pragma once

#include <optional>
#include <string>

namespace pronghorn::config {

struct CpuCount {
  enum class Reason { all, affinity, quota };
  unsigned count = 1;           ///< what may be used, at least 1
  unsigned online = 1;          ///< what the machine has
  Reason reason = Reason::all;  ///< what made `count` smaller than `online`

  /// "using 2 of 8 CPUs (cgroup quota)"; empty when all of them may be used.
  std::string note() const;
};

/// The smaller of CPU affinity and the cgroup's quota rounded up.
CpuCount available_cpus();
/// @param affinity  CPUs in the affinity mask; @param root  prefix of /proc and /sys ("" on a
/// machine)
CpuCount available_cpus(unsigned online, unsigned affinity, const std::string& root);

/// The quota of this process's cgroup or of the ancestor with the smallest, in CPUs rounded up; v1,
/// v2 and hybrid. Empty: none.
std::optional<unsigned> quota_cpus(const std::string& root);

}  // namespace pronghorn::config

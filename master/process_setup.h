// SPDX-License-Identifier: Apache-2.0
// What a process of ours sets about itself at its start.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace pronghorn::master {

/// Of this process, now.
std::set<std::int64_t> open_descriptors();

/// The master calls it before it opens anything of its own: descriptors that were inherited by
/// accident become close-on-exec (0, 1 and 2 stay), and SIGPIPE and SIGXFSZ are ignored. Workers
/// have worker/signals.h.
void prepare_process() noexcept;

/// /proc/self/oom_score_adj as it is, without its newline; empty when it cannot be read.
std::string oom_score() noexcept;
/// Makes the kernel spare this process when memory is out; only root may.
void protect_from_oom() noexcept;
/// Gives a child back what we had: it inherits our protection.
void set_oom_score(int pid, const std::string& score) noexcept;

}  // namespace pronghorn::master

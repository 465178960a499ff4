// SPDX-License-Identifier: Apache-2.0
// What a worker does about signals: nothing. The master is told to stop, the workers by their
// channel.
#pragma once

#include <chrono>

namespace pronghorn::worker {

/// Ignores TERM, INT, QUIT and HUP (Ctrl-C and systemd reach the whole group:
/// docs/architecture.md), USR1, USR2 and PIPE.
void ignore_group_signals() noexcept;

/// A back-up for the channel's EOF: when the parent thread dies, an alarm is set that ends this
/// process even if its loop never turns again. A parent that is gone already is seen by the
/// channel's EOF.
void end_after_parent(std::chrono::seconds grace) noexcept;

}  // namespace pronghorn::worker

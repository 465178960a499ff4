// SPDX-License-Identifier: Apache-2.0
// Whether this process was started as a cluster's worker, once its environment no longer says so.
#pragma once

namespace pronghorn::ipc {

/// take_inherited_channel() (channel.h) has taken the channel of a cluster's worker: this process
/// is no primary.
bool cluster_channel_was_taken() noexcept;

}  // namespace pronghorn::ipc

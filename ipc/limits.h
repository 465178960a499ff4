// SPDX-License-Identifier: Apache-2.0
// The bounds of a channel.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pronghorn::ipc {

struct ChannelLimits {
  /// Bytes of one line: more is a protocol error, and refused by send(). Node has no limit.
  std::size_t max_message = 128 * 1024 * 1024;
  /// Unsent bytes before send() refuses (a peer that never reads).
  std::size_t max_queued = SIZE_MAX;
  /// Bytes of messages that wait for the first listener before the channel is no longer read; a
  /// socket with one counts as 64 KiB.
  std::size_t max_pending = 16 * 1024 * 1024;
};

}  // namespace pronghorn::ipc

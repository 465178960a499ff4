// SPDX-License-Identifier: Apache-2.0
// One end of a channel with who listens to it: what a ChildProcess and a Parent have in common.
#pragma once

#include <pronghorn/base/listeners.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>
#include <pronghorn/json_fwd.h>

#include "ipc/mailbox.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace pronghorn::process {

class ChannelEnd {
 public:
  struct Hooks {
    /// Holds this object. Whoever is told may drop it: it is kept meanwhile.
    std::weak_ptr<void> owner;
    /// The peer broke the protocol, or took no socket.
    std::move_only_function<void(const Error&)> on_error;
    /// The channel has gone, and that was told.
    std::move_only_function<void()> on_end;
  };

  ChannelEnd(Loop& loop, std::size_t max_pending);

  Result<void> open(UniqueFd fd, ipc::ChannelLimits limits, Hooks hooks);
  /// @see ipc::Channel::send; `handle` may be null
  Result<bool> send(const Json& message, const ipc::Handle* handle, ipc::Channel::Sent sent);
  /// @returns false when it was called before, or there is no channel
  bool disconnect();
  bool connected() const noexcept;
  /// Null when there is none (any more).
  ipc::Channel* channel() noexcept { return channel_ ? &*channel_ : nullptr; }
  /// No listener is called any more, also when one of them runs now.
  void silence() noexcept;
  /// At once. on_end is not called.
  void close() noexcept { channel_.reset(); }

  ipc::Mailbox messages;
  Listeners<std::function<void(const Json&, ipc::ReceivedHandle&)>> internals;
  Listeners<std::move_only_function<void()>> disconnects;

 private:
  void on_disconnect();

  Loop& loop_;
  Hooks hooks_;
  std::optional<ipc::Channel> channel_;
};

}  // namespace pronghorn::process

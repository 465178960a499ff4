// SPDX-License-Identifier: Apache-2.0
// The messages of a channel on their way to listeners: held until there is one. Used by
// process::ChildProcess and process::Parent.
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/json_fwd.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace pronghorn::ipc {

/// Beyond max_pending bytes without a listener the channel is paused, until they were delivered.
class Mailbox {
 public:
  /// Listeners share the handle: who keeps it takes its `fd` out. Each may destroy everything.
  using Listener = std::function<void(const Json&, ReceivedHandle&)>;

  Mailbox(Loop& loop, std::size_t max_pending);
  ~Mailbox() { close(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// The channel that is paused; null when there is none any more.
  void watch(Channel* channel) noexcept;
  /// From the channel's on_message.
  void take(const Json& message, ReceivedHandle handle);
  /// What was held comes to the first one from the loop, and before what arrives later.
  void listen(Listener listener);
  /// Now and not a turn later, before the end of the channel is told; from the loop.
  void deliver();
  /// The peer has gone: what it left is bounded by its socket, and its end must be read. No limit
  /// any more.
  void lift_limit() noexcept;
  /// No listener is called any more, also when one of them runs now; what is held is dropped.
  void close() noexcept;
  /// Bytes that are held.
  std::size_t pending() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pronghorn::ipc

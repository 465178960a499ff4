// SPDX-License-Identifier: Apache-2.0
// The child's end of the channel: Node's process.send, process.disconnect and process.on('message')
// in a program that fork started, by Node or by us.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/json_fwd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pronghorn::process {

/// As in Node, the channel keeps the loop running only once there is a listener for messages or for
/// the disconnect. Listeners as in ChildProcess.
class Parent {
 public:
  ~Parent();
  Parent(Parent&&) noexcept;
  Parent& operator=(Parent&&) noexcept;

  /// @see ipc::Channel::send
  Result<bool> send(const Json& message, ipc::Channel::Sent sent = {});
  Result<bool> send(const Json& message, const ipc::Handle& handle, ipc::Channel::Sent sent = {});
  /// What is queued still leaves. Again: the error listener gets Errc::ipc_disconnected.
  void disconnect();
  bool connected() const noexcept;
  /// Null after the end. Its ref() and unref() overrule what the listeners imply.
  ipc::Channel* channel() noexcept;
  /// NODE_UNIQUE_ID, which a cluster's primary gives; else "".
  const std::string& unique_id() const noexcept;

  /// Messages wait for the first listener.
  void on_message(std::function<void(const Json&)> listener);
  void on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener);
  void on_internal(std::function<void(const Json&, ipc::ReceivedHandle&)> listener);
  void on_disconnect(std::move_only_function<void()> listener);
  void on_error(std::move_only_function<void(const Error&)> listener);

 private:
  friend Result<std::optional<Parent>> parent(Loop&, ipc::ChannelLimits);
  struct State;
  explicit Parent(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// The channel that NODE_CHANNEL_FD names, once: Node's three variables are removed from the
/// environment, so that our own children do not take it for theirs, and CLOEXEC is set. Empty when
/// this process has none. @errors a number that is no open socket; a parent that asks for
/// serialization 'advanced'
Result<std::optional<Parent>> parent(Loop& loop, ipc::ChannelLimits limits = {});

}  // namespace pronghorn::process

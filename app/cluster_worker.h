// SPDX-License-Identifier: Apache-2.0
// Node's cluster Worker, either side: in the primary one of its workers, in a worker itself.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/result.h>
#include <pronghorn/ipc/channel.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/json_fwd.h>
#include <pronghorn/process/child_process.h>
#include <pronghorn/process/exit.h>
#include <pronghorn/process/parent.h>
#include <pronghorn/process/signal.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace pronghorn {

using Json = nlohmann::json;

/// Owned by the Cluster. Its listeners are called before the cluster's, but for messages, which the
/// cluster hears first (as in Node). Messages do not wait for a listener, and a worker's channel
/// keeps its loop running (as in Node).
class Worker {
 public:
  enum class State : std::uint8_t { none, online, listening, disconnected, dead };

  std::uint64_t id() const noexcept;
  State state() const noexcept;
  /// In the primary: its process; else asserts.
  process::ChildProcess& process() noexcept;
  /// In the worker: the channel to the primary; else asserts.
  process::Parent& parent() noexcept;

  /// @see ipc::Channel::send. A worker that is gone is an error (Errc::ipc_channel_closed) and
  /// nothing more.
  Result<bool> send(const Json& message, ipc::Channel::Sent sent = {});
  Result<bool> send(const Json& message, const ipc::Handle& handle, ipc::Channel::Sent sent = {});
  /// In the primary: signals the process, at once. In the worker: disconnects, then ends with exit
  /// code 0, whatever the signal (as in Node).
  void kill(process::Signal signal = SIGTERM);
  /// Gracefully: no new connections, those that are open are finished, then the channel closes and
  /// the worker ends when it has nothing more to do. In the primary it has a deadline
  /// (ClusterSettings::disconnect_timeout).
  void disconnect();
  bool is_connected() const noexcept;
  bool is_dead() const noexcept;
  /// It left because it was told to, or on its own account, and not because it died. (Node:
  /// undefined, here false, while it runs.)
  bool exited_after_disconnect() const noexcept;

  void on_online(std::function<void()> listener);
  void on_listening(std::function<void(const Address&)> listener);
  void on_message(std::function<void(const Json&)> listener);
  void on_message(std::function<void(const Json&, ipc::ReceivedHandle&)> listener);
  void on_disconnect(std::function<void()> listener);
  void on_exit(std::function<void(const process::Exit&)> listener);
  void on_error(std::function<void(const Error&)> listener);

  struct Impl;

 private:
  friend class Cluster;
  explicit Worker(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace pronghorn

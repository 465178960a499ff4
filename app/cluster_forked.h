// SPDX-License-Identifier: Apache-2.0
// A worker as its primary sees it: its process, its channel, and its events in Node's order. Made
// by Cluster::fork.
#pragma once

#include "app/cluster_impl.h"
#include "base/uv/timer.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace pronghorn {

class ForkedWorker final : public Worker::Impl {
 public:
  /// `cluster` ends this one (end()) before it goes.
  ForkedWorker(Cluster::Impl& cluster, std::uint64_t number, std::optional<std::uint32_t> slot);

  void start(process::ChildProcess child);
  /// The cluster is gone: nothing is told any more, the process stays and loses its channel.
  void end() noexcept;

  process::ChildProcess* process() noexcept override { return child_ ? &*child_ : nullptr; }
  Result<bool> send(const Json& message, const ipc::Handle* handle,
                    ipc::Channel::Sent sent) override;
  void kill(const process::Signal& signal) override;
  void disconnect() override;
  bool is_connected() const noexcept override { return child_ && child_->connected(); }
  std::optional<std::uint32_t> slot() const noexcept { return slot_; }
  /// 'disconnect' is not told yet, and will be.
  bool has_channel() const noexcept { return has_channel_; }

  /// For the supervision, after the listeners of both levels.
  std::function<void()> on_first_listening{};
  std::function<void()> on_channel_end{};
  std::function<void(const process::Exit&)> on_end{};

 private:
  void listen_to(process::ChildProcess& child);
  void on_internal(const Json& message);
  void on_message(const Json& message, ipc::ReceivedHandle& handle);
  void on_exit(const process::Exit& exit);
  void tell_exit_soon(const process::Exit& exit, int turns);
  void on_close(const process::Exit& exit);
  void tell_disconnect();
  void tell_exit(const process::Exit& exit);
  void leave_protocol();
  void on_deadline();

  Cluster::Impl* cluster_;
  std::optional<std::uint32_t> slot_;
  std::optional<process::ChildProcess> child_;
  std::optional<uv::Timer> deadline_;  // of disconnect()
  bool terminated_ = false;            // by the deadline
  bool in_protocol_ = false;
  bool has_channel_ = false;
};

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// A worker as it sees itself: the channel to its primary (ours or Node's), and the servers that ask
// it. Made by Cluster in a process that has NODE_UNIQUE_ID.
#pragma once

#include "app/cluster_impl.h"
#include "app/cluster_listen.h"
#include "base/uv/timer.h"
#include "ipc/scoreboard.h"
#include "worker/heartbeat.h"
#include "worker/primary_link.h"
#include "worker/primary_listen.h"

#include <memory>
#include <optional>

namespace pronghorn {

class OwnWorker final : public Worker::Impl {
 public:
  /// Says online. Throws std::system_error when the inherited channel is broken.
  static std::shared_ptr<OwnWorker> open(Loop& loop);
  /// `slot`, of the primary's scoreboard, may be null.
  OwnWorker(Loop& loop, process::Parent primary, ipc::Slot* slot);
  /// The Cluster is gone: the channel closes, nothing is told any more.
  void end() noexcept;

  process::Parent* parent() noexcept override { return parent_ ? &*parent_ : nullptr; }
  Result<bool> send(const Json& message, const ipc::Handle* handle,
                    ipc::Channel::Sent sent) override;
  void kill(const process::Signal& signal) override;
  void disconnect() override;
  bool is_connected() const noexcept override { return parent_ && parent_->connected(); }

 private:
  void listen_to(process::Parent& parent);
  /// Lets the servers finish, and closes the channel after them, and when the primary knows why.
  void leave(bool primary_knows);
  void on_step_done();
  void on_primary_gone();
  void exit_well();

  Loop& loop_;
  std::optional<process::Parent> parent_;
  worker::PrimaryLink link_;
  worker::PrimaryListen listen_;
  app::ClusterListen source_;
  std::optional<worker::Heartbeat> heartbeat_;  // with a slot
  std::optional<uv::Timer> drain_limit_;
  int steps_left_ = 0;       // before the channel may close
  bool leaving_ = false;     // by disconnect(), ours or the primary's
  bool destroying_ = false;  // by kill()
};

}  // namespace pronghorn

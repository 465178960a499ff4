// SPDX-License-Identifier: Apache-2.0
// Cluster::supervise: the master's Supervisor decides, the Cluster forks and ends. Owned by
// Cluster.
#pragma once

#include <pronghorn/app/cluster_settings.h>
#include <pronghorn/base/clock.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/process/exit.h>

#include "base/uv/timer.h"
#include "master/supervisor.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace pronghorn::app {

class ClusterSupervision {
 public:
  /// What a worker reports, once each and in this order; on_end always.
  struct Watch {
    std::function<void()> on_listening;
    std::function<void()> on_channel_end;
    std::function<void(const process::Exit&)> on_end;
  };
  struct Hooks {
    std::function<std::uint64_t(Watch)> fork;  ///< its id
    std::function<void(std::uint64_t)> disconnect;
    std::function<void(std::uint64_t, int)> kill;
    /// The age of its heartbeat; empty where it has none.
    std::function<std::optional<Millis>(std::uint64_t)> heartbeat;
    std::function<void(std::uint64_t, bool)> set_suspect;
    /// Keeps this object alive: on_give_up is a user's.
    std::function<std::shared_ptr<void>()> keep;
  };

  ClusterSupervision(Loop& loop, const SupervisionPolicy& policy, Millis disconnect_timeout,
                     Hooks hooks);
  void start();
  /// Disconnects all workers, and starts none any more.
  void stop();
  /// The Cluster is gone.
  void end() noexcept;

 private:
  void perform(master::Actions more);
  void perform_one(const master::Action& action);
  void fork(std::uint32_t slot);
  void give_up(const master::Action& action);
  void sync();
  void on_tick();

  Loop& loop_;
  std::function<void(const Error&)> on_give_up_;
  Hooks hooks_;
  master::Supervisor supervisor_;
  std::vector<std::uint64_t> ids_;  // of the slots' workers
  std::deque<master::Action> actions_;
  bool performing_ = false;
  bool over_ = false;
  uv::Timer deadline_;
  uv::Timer ticker_;  // heartbeats are looked at
};

}  // namespace pronghorn::app

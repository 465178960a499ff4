// SPDX-License-Identifier: Apache-2.0
// Even load on one shared listening socket: a worker that holds more than its share stops watching
// the listener (the gate), and before it does so makes sure that another one watches (the baton).
// docs/decisions has the measurements. Owned by Worker; asked by server::Acceptor.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/server/accept_policy.h>

#include "ipc/scoreboard.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace pronghorn::worker {

class Gate final : public server::AcceptPolicy {
 public:
  /// A worker whose heartbeat is older is not counted, nor given the baton: stopped, or in a long
  /// handler.
  static constexpr std::int64_t kStaleMs = 150;
  /// How often a gated worker looks again by itself; also the heartbeat's period.
  static constexpr std::int64_t kTickMs = 50;

  /// `doorbells[i]` is slot i's eventfd (a slot beyond them is never live); ours is watched by the
  /// Worker. `set_accepting` starts and stops watching the listeners. `scoreboard` outlives the
  /// gate.
  Gate(ipc::Scoreboard& scoreboard, std::uint32_t self, std::vector<UniqueFd> doorbells,
       std::function<void(bool)> set_accepting);

  bool takes_another() noexcept override;
  void on_wakeup_end() noexcept override;
  void on_accept_failed() noexcept override;
  void on_connection_closed() noexcept override;
  /// Our doorbell rang: another worker handed us the baton.
  void on_doorbell() noexcept;
  void on_tick() noexcept;

  /// More open connections than the mean of the fresh workers + max(1, 12.5 %).
  bool is_over() const noexcept;
  bool is_armed() const noexcept { return armed_; }
  int doorbell() const noexcept { return doorbells_[self_].get(); }

 private:
  bool is_fresh(const ipc::Slot& slot, std::int64_t now_ms) const noexcept;
  void arm() noexcept;
  void disarm() noexcept;
  /// The least loaded fresh worker but us, or -1.
  int least_loaded_other() const noexcept;

  ipc::Scoreboard& scoreboard_;
  std::uint32_t self_;
  std::vector<UniqueFd> doorbells_;
  std::function<void(bool)> set_accepting_;
  bool armed_ = true;
  std::optional<std::uint64_t> failed_at_;  // connections accepted when accepting last failed
};

}  // namespace pronghorn::worker

// SPDX-License-Identifier: Apache-2.0
// The primary accepts, and hands each connection to a worker (Node's round-robin handle; act
// 'newconn'). Which worker is the Picker's question; docs/decisions/0012 says what becomes of a
// connection that a worker refuses or dies with. Owned by Primary, one per key.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>

#include "ipc/scoreboard.h"
#include "master/cluster/picker.h"
#include "master/cluster/server_handle.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pronghorn::master {

/// Of all servers of a primary together; for Primary::Totals.
struct HandOverTotals {
  std::uint64_t handed_over = 0;  ///< taken by a worker
  std::uint64_t refused = 0;      ///< given back by one, and offered to another
  std::uint64_t recovered = 0;    ///< of a worker that died before it answered; goes to another
  std::uint64_t given_up = 0;     ///< of one that had begun with it: closed
};

class HandOver final : public ServerHandle {
 public:
  struct Options {
    int listener = -1;  ///< listens already; outlives this, and is made non-blocking
    std::string key{};  ///< of act 'newconn'
    std::unique_ptr<Picker> picker;
    /// Connections that are held while their worker is busy (stickiness), beyond which they stay in
    /// the kernel's queue. At least one is.
    std::size_t max_waiting = 1024;
    /// A worker without an answer for so long keeps its clients no more (stickiness): workers of
    /// other programs have no heartbeat, and one that hangs would fill `max_waiting`.
    Millis silence{10'000};
    /// Of our workers; null: none has counters. Outlives this.
    const ipc::Scoreboard* board = nullptr;
    HandOverTotals* totals = nullptr;  ///< never null; outlives this
  };

  /// @errors of watching the listener
  static Result<std::unique_ptr<HandOver>> open(Loop& loop, Options options);
  /// What waits is closed, and so is our side of what no worker has answered for: its reply is
  /// ignored. From any callback.
  ~HandOver() override;
  HandOver(const HandOver&) = delete;
  HandOver& operator=(const HandOver&) = delete;

  /// ENOTSUP for a member without a slot, when the picker goes by the counters.
  Join join(Member& member) override;
  /// It is a member from here on. Again after leave(): it is one anew.
  void joined(Member& member) override;
  /// With `is_gone` false it keeps what it has not answered for: the reply may still come, and a
  /// connection must not be served twice. A later call with `is_gone` takes it back; until then
  /// `member` is kept.
  void leave(Member& member, bool is_gone) override;
  void suspicion_changed(Member& member) override;

  std::size_t members() const noexcept override;
  /// Also those that are with a worker which has not answered yet.
  std::size_t waiting() const noexcept override;
  /// `done` once the kernel's queue is empty and nothing is in our hands, or nobody is left to take
  /// it. May be called again: looks again (TCP_DEFER_ACCEPT may have hidden some), and tells only
  /// the last `done`.
  void drain(std::function<void()> done) override;

 private:
  struct Impl;
  explicit HandOver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace pronghorn::master

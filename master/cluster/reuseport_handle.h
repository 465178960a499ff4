// SPDX-License-Identifier: Apache-2.0
// Each slot's worker accepts from a socket of its own, which the primary makes for the slot's first
// worker and keeps, so that no queue goes with its worker. The socket of a slot whose worker is
// away is lent to another (docs/decisions/0013). Owned by Primary, one per key.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include "base/uv/timer.h"
#include "master/cluster/server_handle.h"
#include "master/listener.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pronghorn::master {

class ReuseportHandle final : public ServerHandle {
 public:
  /// `loop` and `first` outlive this; `first` is slot 0's socket; those of the other slots are made
  /// beside it.
  ReuseportHandle(Loop& loop, const Listener& first, std::uint32_t slots, std::string key);

  /// ENOTSUP for a member without a slot; or the error of making the slot's socket.
  Join join(Member& member) override;
  void joined(Member& member) override;
  void leave(Member& member, bool is_gone) override;
  void suspicion_changed(Member& member) override;
  std::size_t members() const noexcept override { return members_.size(); }

  void drain(std::function<void()> done) override;
  void refuse_new() override;

 private:
  struct Slot {
    std::optional<Listener> own{};            // slot 0's is first_; empty: nobody has had it yet
    std::optional<std::uint64_t> borrower{};  // accepts from it in place of the slot's worker
    std::set<std::uint64_t> refused{};  // who had no descriptor for it, until all is settled anew
  };

  /// Null: not made yet.
  const Listener* socket(std::uint32_t index) const;
  void settle();
  void settle_slot(std::uint32_t index);
  bool is_attended(std::uint32_t index) const;
  Member* find(std::uint64_t id) const;
  std::size_t borrowed_by(const Member& member) const;
  bool lend(std::uint32_t index, Member& to);
  void lost(std::uint32_t index, std::uint64_t borrower);
  void take_back(std::uint32_t index);

  std::string key_;
  const Listener& first_;
  std::vector<Slot> slots_;
  std::vector<Member*> members_;
  uv::Timer retry_;  // somebody is there, and could not be lent a socket
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool refusing_ = false;
  bool draining_ = false;
};

}  // namespace pronghorn::master

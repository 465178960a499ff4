// SPDX-License-Identifier: Apache-2.0
// All workers accept from, or receive by, one socket (Node: SharedHandle; SCHED_NONE, and every UDP
// server). Owned by Primary, one per key.
#pragma once

#include "master/cluster/server_handle.h"

#include <cstdint>
#include <set>

namespace pronghorn::master {

class SharedHandle final : public ServerHandle {
 public:
  /// `fd` outlives this.
  explicit SharedHandle(int fd) : fd_(fd) {}

  Join join(Member&) override { return {.fd = fd_}; }
  void joined(Member& member) override { members_.insert(member.id()); }
  void leave(Member& member, bool) override { members_.erase(member.id()); }
  std::size_t members() const noexcept override { return members_.size(); }

 private:
  int fd_;
  std::set<std::uint64_t> members_;
};

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// A supervisor with its clock, for the tables of its tests.
#pragma once

#include "master/supervisor.h"

#include <algorithm>

namespace pronghorn::test {

using namespace pronghorn::master;
using namespace std::chrono_literals;
using Kind = Action::Kind;

struct Rig {
  explicit Rig(std::uint32_t slots, SupervisorPolicy policy = {})
      : supervisor(
            [&] {
              policy.slots = slots;
              return policy;
            }(),
            [] { return 0.5; }) {}

  Actions start() { return supervisor.start(now); }
  void start_ready() {
    start();
    for (std::uint32_t i = 0; i < supervisor.size(); ++i) {
      supervisor.spawned(i, now);
      supervisor.ready(i, now);
    }
  }
  Actions die(std::uint32_t slot) {
    return supervisor.exited(slot, "was killed by signal 9 (SIGKILL)", {}, now);
  }
  Actions respawn(std::uint32_t slot) {
    auto out = supervisor.spawned(slot, now);
    auto more = supervisor.ready(slot, now);
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  Actions after(Millis time) {
    // Ticks as Master does, so that this is no stall.
    Actions all;
    auto end = now + time;
    while (now < end) {
      now += std::min<Instant::duration>(100ms, end - now);
      auto out = supervisor.tick(now);
      all.insert(all.end(), out.begin(), out.end());
    }
    return all;
  }

  Supervisor supervisor;
  Instant now{1000s};
};

inline int number_of(const Actions& actions, Kind kind) {
  return static_cast<int>(std::ranges::count(actions, kind, &Action::kind));
}
inline bool has_kill(const Actions& actions, std::uint32_t slot, int signum) {
  return std::ranges::find(actions, Action{Kind::kill, slot, signum, {}}) != actions.end();
}

}  // namespace pronghorn::test

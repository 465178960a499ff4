// SPDX-License-Identifier: Apache-2.0
// Random event sequences against what must hold always. Replay one: PRONGHORN_SEED=n.
#include "master/supervisor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

using namespace pronghorn;
using namespace pronghorn::master;
using namespace std::chrono_literals;
using Kind = Action::Kind;

namespace {

// doctest's CHECK also counts and records what holds: four million times here.
void must(bool holds, const char* rule) {
  if (!holds) FAIL_CHECK(rule);
}

// Plays Master and the processes: keeps the truth that the supervisor's actions are held against.
class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed),
        slots_(1 + static_cast<std::uint32_t>(pick(4))),
        supervisor_(policy(),
                    [this] { return std::uniform_real_distribution<double>(0, 1)(random_); }) {
    processes_.resize(slots_);
  }

  void run() {
    do_actions(supervisor_.start(now_));
    for (int i = 0; i < 60 && !finished_; ++i) step();
    if (!stopping_) do_actions(stop(StopMode::drain));
    // From here each state has to leave by its own deadlines: processes die only by SIGKILL.
    for (int i = 0; i < 2000 && !finished_; ++i) {
      spawn_pending();
      auto next = supervisor_.next_deadline();
      if (!next && !killed_any()) break;
      // Ticks as Master does: a greater gap is a stall, which moves the deadlines.
      now_ = next ? std::clamp(*next, now_ + 1ms, now_ + 500ms) : now_ + 1ms;
      reap_killed();
      do_actions(supervisor_.tick(now_));
    }
    must(finished_, "every state leaves by a deadline, to the end");
    for (const auto& p : processes_) must(!p.alive, "everybody is gone");
  }

 private:
  struct Process {
    bool alive = false, pending = false, killed = false;
  };

  SupervisorPolicy policy() {
    SupervisorPolicy p;
    p.slots = slots_;
    if (pick(2) == 0) p.give_up_after = 5s;
    return p;
  }
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }
  Actions stop(StopMode mode) {
    stopping_ = true;
    return supervisor_.stop(mode, now_);
  }

  void step() {
    auto slot = static_cast<std::uint32_t>(pick(slots_));
    auto& p = processes_[slot];
    switch (pick(16)) {
      case 0:
      case 1:
      case 2:
        spawn_pending();
        break;
      case 3:
      case 4:
      case 5:
        do_actions(supervisor_.ready(slot, now_));
        break;
      case 6:
      case 7:
      case 8:
        if (p.alive) {
          p = {};
          do_actions(supervisor_.exited(slot, "died", pick(10) == 0 ? 78 : 1, now_));
        }
        break;
      case 9:
        do_actions(supervisor_.heartbeat(slot, Millis(pick(15'000)), now_));
        break;
      case 10:
        if (pick(8) == 0) do_actions(supervisor_.fault(slot, "fault", now_));
        break;
      case 11:
        do_actions(supervisor_.broken(slot, now_));
        break;
      case 12:
        do_actions(supervisor_.disconnected(slot, now_));
        break;
      case 13:
        if (pick(12) == 0) do_actions(stop(static_cast<StopMode>(pick(3))));
        break;
      case 14:
        now_ += Millis(pick(20) == 0 ? pick(100'000) : pick(900));
        do_actions(supervisor_.tick(now_));
        break;
      default:
        if (auto next = supervisor_.next_deadline()) {
          must(*next >= last_tick_, "no deadline stays in the past: the loop would spin");
          now_ = std::clamp(*next, now_, now_ + 500ms);
          do_actions(supervisor_.tick(now_));
          last_tick_ = now_;
        }
    }
    if (pick(3) == 0) reap_killed();
  }

  void spawn_pending() {
    for (std::uint32_t i = 0; i < slots_; ++i) {
      auto& p = processes_[i];
      if (!p.pending) continue;
      p.pending = false;
      if (pick(5) == 0) {
        do_actions(supervisor_.spawn_failed(i, "no memory", now_));
      } else {
        p.alive = true;
        do_actions(supervisor_.spawned(i, now_));
      }
    }
  }
  bool killed_any() const {
    for (const auto& p : processes_) {
      if (p.killed) return true;
    }
    return false;
  }
  void reap_killed() {
    for (std::uint32_t i = 0; i < slots_; ++i) {
      if (!processes_[i].killed) continue;
      processes_[i] = {};
      do_actions(supervisor_.exited(i, "was killed by signal 9 (SIGKILL)", {}, now_));
    }
  }

  void do_actions(const Actions& actions) {
    for (const auto& a : actions) {
      auto& p = processes_.at(a.slot);
      must(!finished_, "nothing follows finished");
      switch (a.kind) {
        case Kind::spawn:
          must((!p.alive && !p.pending), "never two live processes in a slot");
          must((!stopping_ && !gave_up_), "never a spawn while stopping");
          p.pending = true;
          break;
        case Kind::kill:
          must(p.alive, "a reaped process is never signalled");
          if (a.number == SIGKILL) p.killed = true;
          break;
        case Kind::drain:
          must(p.alive, "only a live process is asked to leave");
          break;
        case Kind::ready_all:
          must(!std::exchange(announced_, true), "said once");
          break;
        case Kind::give_up:
          must(supervisor_.count(SlotState::ready) == 0, "never gives up a ready worker");
          must(!stopping_, "a stop is no failure");
          gave_up_ = true;
          break;
        case Kind::finished:
          must((stopping_ || gave_up_), "ends only when told or hopeless");
          for (const auto& each : processes_)
            must((!each.alive && !each.pending), "nobody is left behind");
          finished_ = true;
          break;
        case Kind::suspect:
        case Kind::recovered:
          must(p.alive, "only a live process is suspect or recovered");
          break;
      }
    }
  }

  std::mt19937_64 random_;
  std::uint32_t slots_;
  std::vector<Process> processes_;
  Instant now_{1000s};
  Instant last_tick_{};
  bool stopping_ = false, gave_up_ = false, finished_ = false, announced_ = false;
  Supervisor supervisor_;
};

}  // namespace

TEST_CASE("supervisor: 100,000 random event sequences keep every invariant") {
  if (const char* replay = std::getenv("PRONGHORN_SEED")) {
    World(std::strtoull(replay, nullptr, 10)).run();
    return;
  }
  std::uint64_t first = std::random_device{}();
  for (std::uint64_t seed = first; seed < first + 100'000; ++seed) {
    INFO("replay with PRONGHORN_SEED=", seed);
    World(seed).run();
  }
}

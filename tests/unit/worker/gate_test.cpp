// SPDX-License-Identifier: Apache-2.0
#include "worker/gate.h"

#include <pronghorn/base/clock.h>

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <sys/eventfd.h>
#include <unistd.h>

using pronghorn::UniqueFd;
using pronghorn::worker::Gate;
namespace ipc = pronghorn::ipc;

namespace {

// Gates of several workers in one process over one scoreboard.
struct Workers {
  explicit Workers(std::uint32_t n)
      : board(ipc::Scoreboard::create(n).value()), accepting(n, true) {
    for (std::uint32_t i = 0; i < n; ++i)
      bells.emplace_back(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    for (std::uint32_t i = 0; i < n; ++i) {
      std::vector<UniqueFd> copies;
      for (auto& bell : bells) copies.emplace_back(::dup(bell.get()));
      gates.push_back(std::make_unique<Gate>(board, i, std::move(copies),
                                             [this, i](bool on) { accepting[i] = on; }));
      board.slot(i).live.store(1);
      beat(i);
    }
  }
  // Ahead of the clock, so that a machine that stands still for a moment makes no worker stale.
  void beat(std::uint32_t i) {
    board.slot(i).heartbeat_ms.store(pronghorn::monotonic_ms() + 60'000);
  }
  void load(std::uint32_t i, std::uint64_t connections) {
    board.slot(i).counters.connections.set(connections);
  }
  bool rings(std::uint32_t i) {
    std::uint64_t n = 0;
    return ::read(bells[i].get(), &n, sizeof n) == sizeof n;
  }
  void ring_through() {
    for (std::uint32_t i = 0; i < gates.size(); ++i) {
      if (rings(i)) {
        std::uint64_t one = 1;
        REQUIRE(::write(bells[i].get(), &one, sizeof one) == sizeof one);
        gates[i]->on_doorbell();
      }
    }
  }
  int armed() const {
    int n = 0;
    for (const auto& gate : gates) n += gate->is_armed() ? 1 : 0;
    return n;
  }

  ipc::Scoreboard board;
  std::vector<UniqueFd> bells;
  std::vector<bool> accepting;
  std::vector<std::unique_ptr<Gate>> gates;
};

}  // namespace

TEST_CASE("gate: a worker alone is never over its share") {
  Workers w(1);
  w.load(0, 10'000);
  CHECK(w.gates[0]->takes_another());
  w.gates[0]->on_wakeup_end();
  CHECK(w.accepting[0]);
}

TEST_CASE("gate: the share is the mean plus one, or plus an eighth when that is more") {
  Workers w(2);
  w.load(0, 2), w.load(1, 0);  // mean 1, allowed 2
  CHECK_FALSE(w.gates[0]->is_over());
  w.load(0, 3);  // mean 1.5, allowed 2.5
  CHECK(w.gates[0]->is_over());
  w.load(0, 112), w.load(1, 88);  // mean 100, allowed 112.5
  CHECK_FALSE(w.gates[0]->is_over());
  w.load(0, 115);  // mean 101.5, allowed 114.2
  CHECK(w.gates[0]->is_over());
}

TEST_CASE("gate: a gated worker stops accepting and is armed again by its own closes") {
  Workers w(2);
  w.load(0, 5);
  w.gates[0]->on_wakeup_end();
  CHECK_FALSE(w.accepting[0]);
  w.load(0, 4);
  w.gates[0]->on_connection_closed();
  CHECK_FALSE(w.accepting[0]);
  w.load(0, 2);
  w.gates[0]->on_connection_closed();
  CHECK(w.accepting[0]);
}

TEST_CASE("gate: the baton wakes the least loaded worker when it sleeps, and only then") {
  Workers w(3);
  w.load(0, 9), w.load(1, 5), w.load(2, 1);
  w.gates[0]->on_wakeup_end();
  CHECK_FALSE(w.rings(2));  // it was armed already
  w.load(0, 1), w.load(1, 5), w.load(2, 9);
  w.gates[2]->on_wakeup_end();  // passes to 0, which sleeps
  CHECK(w.rings(0));
  CHECK_FALSE(w.rings(1));
}

TEST_CASE("gate: a stale or dead worker counts for nothing and gets no baton") {
  Workers w(2);
  w.load(0, 50), w.load(1, 0);
  w.board.slot(1).heartbeat_ms.store(pronghorn::monotonic_ms() - Gate::kStaleMs - 1);
  CHECK_FALSE(w.gates[0]->is_over());
  w.beat(1);
  CHECK(w.gates[0]->is_over());
  w.board.slot(1).live.store(0);
  CHECK_FALSE(w.gates[0]->is_over());
}

TEST_CASE("gate: a gated worker looks again at its tick") {
  Workers w(2);
  w.load(0, 9);
  w.gates[0]->on_wakeup_end();
  REQUIRE_FALSE(w.accepting[0]);
  w.load(1, 9);
  w.gates[0]->on_tick();
  CHECK(w.accepting[0]);
}

TEST_CASE("gate: whatever happens, never are all fresh workers paused") {
  unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (std::uint32_t n : {2U, 3U, 4U, 8U}) {
    Workers w(n);
    for (int step = 0; step < 4000; ++step) {
      auto i = static_cast<std::uint32_t>(random() % n);
      auto& connections = w.board.slot(i).counters.connections;
      if (random() % 3 != 0) {
        if (!w.gates[i]->is_armed()) continue;
        do connections.add(1);
        while (w.gates[i]->takes_another() && random() % 4 != 0);
        w.gates[i]->on_wakeup_end();
      } else if (connections.get() > 0) {
        connections.sub(1);
        w.gates[i]->on_connection_closed();
      }
      for (std::uint32_t k = 0; k < n; ++k) w.beat(k);
      w.ring_through();
      REQUIRE(w.armed() > 0);
      for (std::uint32_t k = 0; k < n; ++k) REQUIRE(w.accepting[k] == w.gates[k]->is_armed());
    }
  }
}

TEST_CASE("gate: a worker that cannot accept is out until it can") {
  Workers w(2);
  w.load(0, 3);
  w.gates[0]->on_wakeup_end();  // the other one has the baton now
  REQUIRE_FALSE(w.accepting[0]);
  w.gates[1]->on_accept_failed();
  w.gates[1]->on_wakeup_end();
  w.gates[0]->on_tick();
  CHECK(w.accepting[0]);
  w.gates[0]->on_wakeup_end();  // nobody else: it goes on
  CHECK(w.accepting[0]);
  w.board.slot(1).counters.accepted.add(1);
  w.gates[1]->on_wakeup_end();
  w.gates[0]->on_wakeup_end();
  CHECK_FALSE(w.accepting[0]);
}

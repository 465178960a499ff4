// SPDX-License-Identifier: Apache-2.0
// Supervisor as a table: watching and ending workers, stops, events that do not fit.
#include "supervisor_rig.h"

#include <doctest/doctest.h>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("supervisor: a worker that is neither ready nor dead in 30 s is ended") {
  Rig rig(1);
  rig.start();
  rig.supervisor.spawned(0, rig.now);
  CHECK(rig.after(29'900ms).empty());
  CHECK(has_kill(rig.after(100ms), 0, SIGABRT));
  CHECK(has_kill(rig.after(2s), 0, SIGKILL));
  CHECK(has_kill(rig.after(5s), 0, SIGKILL));
  CHECK(rig.die(0).empty());
  CHECK(rig.supervisor.slot(0).state == SlotState::waiting);
}

TEST_CASE("supervisor: a late heartbeat makes suspect, a fresh one ready, none at all ends it") {
  Rig rig(2);
  rig.start_ready();
  CHECK(rig.supervisor.heartbeat(0, 900ms, rig.now).empty());
  auto out = rig.supervisor.heartbeat(0, 1100ms, rig.now);
  REQUIRE(out.size() == 1);
  CHECK(out[0].kind == Kind::suspect);
  CHECK(rig.supervisor.heartbeat(0, 1200ms, rig.now).empty());
  SUBCASE("fresh") {
    auto back = rig.supervisor.heartbeat(0, 10ms, rig.now);
    REQUIRE(back.size() == 1);
    CHECK(back[0].kind == Kind::recovered);
  }
  SUBCASE("none") {
    CHECK(has_kill(rig.supervisor.heartbeat(0, 10s, rig.now), 0, SIGABRT));
    CHECK(rig.supervisor.heartbeat(0, 10s, rig.now).empty());
    CHECK(has_kill(rig.after(2s), 0, SIGKILL));
    CHECK(number_of(rig.die(0), Kind::spawn) == 1);
  }
}

TEST_CASE("supervisor: after it was stopped itself, nobody is judged by an old heartbeat") {
  Rig rig(1);
  rig.start_ready();
  rig.supervisor.tick(rig.now);
  rig.now += 60s;
  CHECK(rig.supervisor.tick(rig.now).empty());
  CHECK(rig.supervisor.heartbeat(0, 60s, rig.now).empty());
  rig.after(2s);
  CHECK(rig.supervisor.heartbeat(0, 62s, rig.now).size() == 2);  // suspect and SIGABRT
}

TEST_CASE("supervisor: after it was stopped itself, a starting worker has its full time") {
  Rig rig(1);
  rig.start();
  rig.supervisor.spawned(0, rig.now);
  rig.after(10s);
  rig.now += 600s;
  CHECK(rig.supervisor.tick(rig.now).empty());
  CHECK(rig.after(19s).empty());
  CHECK(has_kill(rig.after(1s), 0, SIGABRT));
}

TEST_CASE("supervisor: a stop drains, then climbs the ladder") {
  Rig rig(2);
  rig.start_ready();
  auto out = rig.supervisor.stop(StopMode::drain, rig.now);
  CHECK(number_of(out, Kind::drain) == 2);
  CHECK(rig.supervisor.slot(0).state == SlotState::draining);
  SUBCASE("they leave") {
    CHECK(rig.die(0).empty());
    auto last = rig.die(1);
    REQUIRE(last.size() == 1);
    CHECK(last[0].kind == Kind::finished);
    CHECK(!rig.supervisor.next_deadline());
  }
  SUBCASE("the deadline") {
    rig.die(1);
    CHECK(rig.after(30'200ms).empty());
    auto late = rig.after(400ms);
    CHECK(has_kill(late, 0, SIGTERM));
    CHECK(has_kill(late, 0, SIGKILL));
  }
  SUBCASE("a second stop") {
    auto second = rig.supervisor.stop(StopMode::now, rig.now);
    CHECK(has_kill(second, 0, SIGTERM));
    CHECK(has_kill(second, 1, SIGTERM));
    CHECK(number_of(rig.after(300ms), Kind::kill) == 2);
  }
  SUBCASE("a fast one shortens the deadline") {
    CHECK(rig.supervisor.stop(StopMode::fast, rig.now).empty());
    CHECK(has_kill(rig.after(1s), 0, SIGTERM));
  }
}

TEST_CASE("supervisor: a stop ends what waits, and starts nothing") {
  Rig rig(2);
  rig.start();
  rig.respawn(0);
  rig.supervisor.spawned(1, rig.now);
  rig.die(1);
  REQUIRE(rig.supervisor.slot(1).state == SlotState::waiting);
  rig.supervisor.stop(StopMode::drain, rig.now);
  CHECK(rig.supervisor.slot(1).state == SlotState::stopped);
  CHECK(number_of(rig.after(20s), Kind::spawn) == 0);
  CHECK(number_of(rig.die(0), Kind::finished) == 1);
}

TEST_CASE("supervisor: a stop during a start waits for its outcome") {
  Rig rig(1);
  rig.start();
  CHECK(rig.supervisor.stop(StopMode::fast, rig.now).empty());
  SUBCASE("it came up") {
    CHECK(has_kill(rig.supervisor.spawned(0, rig.now), 0, SIGKILL));
    CHECK(number_of(rig.die(0), Kind::finished) == 1);
  }
  SUBCASE("it did not") {
    CHECK(number_of(rig.supervisor.spawn_failed(0, "out of memory", rig.now), Kind::finished) == 1);
  }
}

TEST_CASE("supervisor: a worker that breaks the protocol is killed and replaced") {
  Rig rig(2);
  rig.start_ready();
  CHECK(has_kill(rig.supervisor.broken(1, rig.now), 1, SIGKILL));
  CHECK(rig.supervisor.broken(1, rig.now).empty());
  CHECK(rig.supervisor.disconnected(1, rig.now).empty());
  CHECK(number_of(rig.die(1), Kind::spawn) == 1);
}

TEST_CASE("supervisor: a worker whose channel ended has the drain's time to leave") {
  Rig rig(2);
  rig.start_ready();
  CHECK(rig.supervisor.disconnected(0, rig.now).empty());
  CHECK(rig.supervisor.slot(0).state == SlotState::draining);
  SUBCASE("it leaves: as a death after ready") { CHECK(number_of(rig.die(0), Kind::spawn) == 1); }
  SUBCASE("it does not") { CHECK(has_kill(rig.after(31s), 0, SIGKILL)); }
}

TEST_CASE("supervisor: after a ready worker the back-off begins anew") {
  Rig rig(2);
  rig.start_ready();
  rig.die(0);
  auto early_death = [&] {
    rig.supervisor.spawned(0, rig.now);
    rig.die(0);
    return *rig.supervisor.slot(0).restart_at - rig.now;
  };
  CHECK(early_death() == 100ms);
  rig.after(100ms);
  CHECK(early_death() == 200ms);
  CHECK(rig.supervisor.slot(0).attempt == 3);
  rig.after(200ms);
  rig.respawn(0);
  CHECK(number_of(rig.die(0), Kind::spawn) == 1);
  CHECK(early_death() == 100ms);
}

TEST_CASE("supervisor: starts that overlap for ever do not keep a hopeless service open") {
  Rig rig(2, {.first_backoff = 1ms, .longest_backoff = 1ms});
  rig.start();
  rig.supervisor.spawned(0, rig.now);
  rig.supervisor.spawned(1, rig.now);
  auto begin = rig.now;
  Actions all;
  // Each takes 9 s to die, and the other is half-way through its start by then.
  for (std::uint32_t i = 0; number_of(all, Kind::give_up) == 0 && rig.now < begin + 300s; i ^= 1U) {
    auto died = rig.die(i);
    auto more = rig.after(4'500ms);
    rig.supervisor.spawned(i, rig.now);
    all.insert(all.end(), died.begin(), died.end());
    all.insert(all.end(), more.begin(), more.end());
  }
  CHECK(number_of(all, Kind::give_up) == 1);
  CHECK(rig.now - begin >= 100s);
  CHECK(rig.now - begin <= 110s);
}

TEST_CASE("supervisor: a stop does not slow down the end of a hung worker") {
  Rig rig(1);
  rig.start_ready();
  rig.supervisor.heartbeat(0, 2s, rig.now);
  REQUIRE(has_kill(rig.supervisor.heartbeat(0, 10s, rig.now), 0, SIGABRT));
  CHECK(rig.supervisor.stop(StopMode::drain, rig.now).empty());
  CHECK(has_kill(rig.after(2s), 0, SIGKILL));
}

TEST_CASE("supervisor: events that do not fit the state do nothing") {
  Rig rig(1);
  rig.supervisor.exited(0, "exited with 0", 0, rig.now);
  CHECK(rig.supervisor.slot(0).state == SlotState::empty);
  CHECK(rig.supervisor.ready(0, rig.now).empty());
  CHECK(rig.supervisor.exited(0, "exited with 0", 0, rig.now).empty());
  CHECK(rig.supervisor.spawned(0, rig.now).empty());
  CHECK(rig.supervisor.broken(0, rig.now).empty());
  CHECK(rig.supervisor.fault(0, "x", rig.now).empty());
  CHECK(rig.supervisor.heartbeat(0, 100s, rig.now).empty());
  rig.start();
  CHECK(rig.supervisor.ready(0, rig.now).empty());  // not spawned yet
  CHECK(rig.supervisor.exited(0, "exited with 0", 0, rig.now).empty());
  rig.respawn(0);
  CHECK(rig.supervisor.ready(0, rig.now).empty());
  CHECK(rig.supervisor.spawned(0, rig.now).empty());
  CHECK(rig.supervisor.spawn_failed(0, "x", rig.now).empty());
}

TEST_CASE("supervisor: one that was asked to leave is not waited for long once its channel ended") {
  Rig rig(2);
  rig.start_ready();
  rig.supervisor.stop(StopMode::drain, rig.now);
  rig.after(1'000ms);
  CHECK(rig.supervisor.disconnected(0, rig.now).empty());
  CHECK_FALSE(has_kill(rig.after(1'900ms), 0, SIGTERM));
  const auto out = rig.after(200ms);
  CHECK(has_kill(out, 0, SIGTERM));
  CHECK_FALSE(has_kill(out, 1, SIGTERM));
  CHECK(has_kill(rig.after(300ms), 0, SIGKILL));
}

TEST_CASE("supervisor: one that ends its channel by itself has the whole drain_timeout") {
  Rig rig(2);
  rig.start_ready();
  rig.supervisor.disconnected(0, rig.now);
  CHECK_FALSE(has_kill(rig.after(29'000ms), 0, SIGTERM));
  CHECK(has_kill(rig.after(2'000ms), 0, SIGTERM));
}

// SPDX-License-Identifier: Apache-2.0
// Supervisor as a table: starts, replacements, back-off, giving up.
#include "supervisor_rig.h"

#include <doctest/doctest.h>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("supervisor: start starts every slot once") {
  Rig rig(3);
  auto out = rig.start();
  CHECK(number_of(out, Kind::spawn) == 3);
  CHECK(out.size() == 3);
  CHECK(rig.start().empty());
}

TEST_CASE("supervisor: ready_all comes with the last worker, and only once") {
  Rig rig(2);
  rig.start();
  CHECK(number_of(rig.respawn(0), Kind::ready_all) == 0);
  CHECK(number_of(rig.respawn(1), Kind::ready_all) == 1);
  rig.die(1);
  CHECK(number_of(rig.respawn(1), Kind::ready_all) == 0);
}

TEST_CASE("supervisor: a worker that dies after it was ready is replaced at once") {
  Rig rig(4);
  rig.start_ready();
  auto out = rig.die(2);
  REQUIRE(out.size() == 1);
  CHECK(out[0] == Action{Kind::spawn, 2, 0, {}});
}

TEST_CASE("supervisor: beyond the restart intensity a slot is started every 500 ms") {
  Rig rig(4);
  rig.start_ready();
  for (int i = 0; i < 10; ++i) {
    CHECK(number_of(rig.die(0), Kind::spawn) == 1);
    rig.respawn(0);
  }
  CHECK(rig.die(0).empty());
  CHECK(rig.supervisor.slot(0).state == SlotState::waiting);
  CHECK(*rig.supervisor.slot(0).restart_at == rig.now + 500ms);
  CHECK(number_of(rig.after(400ms), Kind::spawn) == 0);
  CHECK(number_of(rig.after(100ms), Kind::spawn) == 1);

  SUBCASE("and at once again when the old deaths are a minute ago") {
    rig.respawn(0);
    rig.after(61s);
    CHECK(number_of(rig.die(0), Kind::spawn) == 1);
  }
}

TEST_CASE("supervisor: while fewer than half are ready, nobody waits for the pace") {
  Rig rig(4);
  rig.start_ready();
  for (int i = 0; i < 10; ++i) {
    rig.die(0);
    rig.respawn(0);
  }
  rig.die(0);
  REQUIRE(rig.supervisor.slot(0).state == SlotState::waiting);
  rig.die(1);
  CHECK(rig.supervisor.slot(0).state == SlotState::waiting);
  rig.die(2);  // one of four is ready now
  CHECK(*rig.supervisor.slot(0).restart_at <= rig.now + 50ms);
  CHECK(number_of(rig.after(100ms), Kind::spawn) == 1);
}

TEST_CASE("supervisor: a single worker is replaced within 100 ms however often it dies") {
  Rig rig(1);
  rig.start_ready();
  for (int i = 0; i < 100; ++i) {
    auto out = rig.die(0);
    auto later = rig.after(100ms);
    CHECK(number_of(out, Kind::spawn) + number_of(later, Kind::spawn) == 1);
    rig.respawn(0);
  }
}

TEST_CASE("supervisor: deaths before ready back off exponentially, at most 10 starts in a minute") {
  for (double dice : {0.0, 0.5, 0.999}) {
    CAPTURE(dice);
    SupervisorPolicy policy;
    policy.slots = 2;
    Supervisor supervisor(policy, [dice] { return dice; });
    Instant now{1000s};
    supervisor.start(now);
    supervisor.spawned(1, now);
    supervisor.ready(1, now);  // so that the service goes on
    int starts = 1;
    Millis last{0};
    for (auto end = now + 60s; now < end; now += 10ms) {
      if (supervisor.slot(0).state == SlotState::starting) {
        supervisor.spawned(0, now);
        CHECK(supervisor.exited(0, "exited with 1", 1, now).empty());
        auto delay = std::chrono::duration_cast<Millis>(*supervisor.slot(0).restart_at - now);
        CHECK(delay > last);
        CHECK(delay >= 80ms);
        last = delay;
      }
      starts += number_of(supervisor.tick(now), Kind::spawn);
    }
    CHECK(starts <= 10);
    CHECK(starts >= 8);
  }
}

TEST_CASE("supervisor: the back-off ends at 30 s") {
  Rig rig(2);
  rig.start_ready();
  rig.die(0);
  for (int i = 0; i < 20; ++i) {
    rig.supervisor.spawned(0, rig.now);
    rig.die(0);
    auto wait = *rig.supervisor.slot(0).restart_at - rig.now;
    CHECK(wait <= 36s);
    rig.after(37s);
    rig.supervisor.heartbeat(1, 0ms, rig.now);
  }
  CHECK(rig.supervisor.slot(0).state == SlotState::starting);
}

TEST_CASE(
    "supervisor: when every worker dies at its start, it gives up after 50 s with the reason") {
  Rig rig(2);
  rig.start();
  auto begin = rig.now;
  Actions all;
  while (number_of(all, Kind::give_up) == 0 && rig.now < begin + 300s) {
    for (std::uint32_t i = 0; i < 2; ++i) {
      if (rig.supervisor.slot(i).state != SlotState::starting) continue;
      rig.supervisor.spawned(i, rig.now);
      auto out = rig.supervisor.exited(i, "exited with 1", 1, rig.now);
      all.insert(all.end(), out.begin(), out.end());
    }
    auto out = rig.after(100ms);
    all.insert(all.end(), out.begin(), out.end());
  }
  CHECK(rig.now - begin >= 50s);
  CHECK(rig.now - begin <= 60s);
  auto found = std::ranges::find(all, Kind::give_up, &Action::kind);
  REQUIRE(found != all.end());
  CHECK(found->number == 70);
  CHECK(found->text.starts_with("no worker can live: worker "));
  CHECK(found->text.ends_with(" exited with 1 before it was ready"));
  CHECK(all.back().kind == Kind::finished);
}

TEST_CASE("supervisor: a program that cannot be started at all is given up, too") {
  Rig rig(1);
  rig.start();
  Actions all;
  for (int i = 0; i < 1200 && number_of(all, Kind::finished) == 0; ++i) {
    if (rig.supervisor.slot(0).state == SlotState::starting) {
      rig.supervisor.spawn_failed(0, "no such file or directory", rig.now);
    }
    auto out = rig.after(100ms);
    all.insert(all.end(), out.begin(), out.end());
  }
  REQUIRE(number_of(all, Kind::give_up) == 1);
  CHECK(std::ranges::find(all, Kind::give_up, &Action::kind)->text ==
        "no worker can live: worker 1 cannot be started: no such file or directory");
}

TEST_CASE("supervisor: a service with one ready worker never gives up") {
  Rig rig(2);
  rig.start();
  rig.respawn(1);
  Actions all;
  for (int i = 0; i < 3000; ++i) {
    if (rig.supervisor.slot(0).state == SlotState::starting) {
      rig.supervisor.spawned(0, rig.now);
      rig.die(0);
    }
    auto out = rig.after(100ms);
    all.insert(all.end(), out.begin(), out.end());
  }
  CHECK(number_of(all, Kind::give_up) == 0);
}

TEST_CASE("supervisor: the time without a ready worker begins when the last one went") {
  Rig rig(1);
  rig.start_ready();
  rig.after(300s);
  rig.die(0);
  for (int i = 0; i < 3; ++i) {
    rig.supervisor.spawned(0, rig.now);
    rig.die(0);
    CHECK(number_of(rig.after(2s), Kind::give_up) == 0);
  }
}

TEST_CASE(
    "supervisor: a configuration fault is not retried; when none was ever ready the code is 78") {
  Rig rig(2);
  rig.start();
  rig.supervisor.spawned(0, rig.now);
  rig.supervisor.spawned(1, rig.now);
  rig.supervisor.fault(0, "cannot open '/srv/www'", rig.now);
  SUBCASE("both report it") {
    rig.supervisor.fault(1, "cannot open '/srv/www'", rig.now);
    CHECK(rig.supervisor.exited(0, "exited with 78", 78, rig.now).empty());
    auto out = rig.supervisor.exited(1, "exited with 78", 78, rig.now);
    REQUIRE(out.size() == 2);
    CHECK(out[0] == Action{Kind::give_up, 0, 78, "cannot open '/srv/www'"});
    CHECK(out[1].kind == Kind::finished);
  }
  SUBCASE("the other lives: the service goes on without the slot") {
    CHECK(rig.supervisor.exited(0, "exited with 78", 78, rig.now).empty());
    CHECK(number_of(rig.supervisor.ready(1, rig.now), Kind::ready_all) == 1);
    CHECK(rig.after(120s).empty());
    CHECK(rig.supervisor.slot(0).state == SlotState::failed);
  }
  SUBCASE("one that reports and does not leave is ended") {
    CHECK(has_kill(rig.after(2s), 0, SIGTERM));
    CHECK(has_kill(rig.after(1s), 0, SIGKILL));
  }
  SUBCASE("the exit code says it as well") {
    rig.supervisor.exited(0, "exited with 78", 78, rig.now);
    auto out = rig.supervisor.exited(1, "exited with 78", 78, rig.now);
    REQUIRE(!out.empty());
    CHECK(out[0].number == 78);
  }
}

// SPDX-License-Identifier: Apache-2.0
// Supervisor as a table: what each event does in each state that it can meet.
#include "master/supervisor.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace pronghorn;
using namespace pronghorn::master;
using namespace std::chrono_literals;
using Kind = Action::Kind;

namespace {

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

int number_of(const Actions& actions, Kind kind) {
  return static_cast<int>(std::ranges::count(actions, kind, &Action::kind));
}
bool has_kill(const Actions& actions, std::uint32_t slot, int signum) {
  return std::ranges::find(actions, Action{Kind::kill, slot, signum, {}}) != actions.end();
}

}  // namespace

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

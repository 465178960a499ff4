// SPDX-License-Identifier: Apache-2.0
// kill, kill_tree and timeout.
#include "tests/unit/process/process_fixture.h"

#include <chrono>
#include <sys/wait.h>

using namespace pronghorn;
using namespace pronghorn::test;
using namespace std::chrono_literals;
using process::Milliseconds;
using process::Stdio;

namespace {

// A child that has set its traps says so; `told` is what it said.
void wait_for(Loop& loop, Child& child, const std::string& told) {
  REQUIRE(run_until(loop, [&] { return child.out == told; }));
}

}  // namespace

TEST_CASE("kill: SIGTERM by default; killed says that a signal was delivered") {
  Loop loop;
  Child child;
  child.spawn(loop, "sleep", {"1000"});
  CHECK_FALSE(child->killed());
  CHECK(child->kill().value());
  CHECK(child->killed());
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit SIGTERM", "close SIGTERM"});
  CHECK(child->signal_code() == SIGTERM);
  CHECK_FALSE(child->kill().value());
  CHECK(child->killed());
}

TEST_CASE("kill: 0 asks only, and does not count as killed") {
  Loop loop;
  Child child;
  child.spawn(loop, "cat");
  CHECK(child->kill(0).value());
  CHECK_FALSE(child->killed());
  child->in().end();
  CHECK(loop.run() == 0);
  CHECK_FALSE(child->kill(0).value());
  CHECK(child.exit->code == 0);
}

TEST_CASE("kill: after the end it is false, and killed stays false") {
  Loop loop;
  Child child;
  child.spawn(loop, "true");
  CHECK(loop.run() == 0);
  CHECK_FALSE(child->kill(SIGKILL).value());
  CHECK_FALSE(child->killed());
}

TEST_CASE("kill: signals by number and by name, in any case") {
  Loop loop;
  for (const process::Signal& signal :
       {process::Signal(SIGUSR2), process::Signal("SIGUSR2"), process::Signal("sigusr2")}) {
    Child child;
    child.spawn(loop, "sleep", {"1000"});
    CHECK(child->kill(signal).value());
    CHECK(loop.run() == 0);
    CHECK(child->signal_code() == SIGUSR2);
  }
}

TEST_CASE("kill: an unknown signal is refused, and harms nobody") {
  Loop loop;
  Child child;
  child.spawn(loop, "cat");
  for (const process::Signal& signal : {process::Signal("SIGNONE"), process::Signal(-1),
                                        process::Signal(65), process::Signal("")}) {
    CAPTURE(signal.text());
    auto killed = child->kill(signal);
    REQUIRE_FALSE(killed.has_value());
    CHECK(killed.error().code() == Errc::unknown_signal);
    auto tree = child->kill_tree(signal);
    REQUIRE_FALSE(tree.has_value());
    CHECK(tree.error().code() == Errc::unknown_signal);
  }
  CHECK_FALSE(child->killed());
  child->in().end();
  CHECK(loop.run() == 0);
  CHECK(child.exit->code == 0);
}

TEST_CASE("kill: a child that traps the signal lives on, though killed") {
  Loop loop;
  Child child;
  child.shell(loop, "trap 'echo trapped' TERM; echo ready; while ! read x; do :; done; exit 9");
  child.read();
  wait_for(loop, child, "ready\n");
  CHECK(child->kill().value());
  wait_for(loop, child, "ready\ntrapped\n");
  CHECK(child->killed());
  CHECK_FALSE(child.exit.has_value());
  child->in().end("go\n");
  CHECK(loop.run() == 0);
  CHECK(child.exit->code == 9);
}

TEST_CASE("kill_tree: the child and what is below it") {
  Loop loop;
  Child child;
  // The grandchildren hold the pipe: close comes only when they are gone, too.
  child.shell(loop, "sh -c 'sleep 1000 & sleep 1000' & echo ready; wait");
  child.read();
  wait_for(loop, child, "ready\n");
  CHECK(child->kill_tree(SIGKILL).value() >= 2);
  CHECK(child->killed());
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.exit->signal == SIGKILL);
}

TEST_CASE("kill_tree: the group of a detached child that has gone itself") {
  Loop loop;
  Child child;
  child.shell(loop, "sleep 1000 & sleep 1000 & exit 0", {.detached = true});
  REQUIRE(run_until(loop, [&] { return child.exit.has_value(); }));
  CHECK_FALSE(child.closed);
  CHECK(child->kill_tree(SIGKILL).value() == 2);
  CHECK_FALSE(child->killed());
  REQUIRE(run_until(loop, [&] { return child.closed; }));
}

TEST_CASE("timeout: the signal comes once, and the exit tells it") {
  Loop loop;
  Child child;
  child.spawn(loop, "sleep", {"1000"}, {.timeout = 20ms, .kill_signal = "SIGUSR1"});
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit SIGUSR1", "close SIGUSR1"});
  CHECK(child->killed());
}

TEST_CASE("timeout: a child that ignores the signal is killed after the grace") {
  Loop loop;
  Child child;
  child.shell(loop, "trap '' TERM; while :; do read x; done",
              {.timeout = 100ms, .kill_grace = 20ms});
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit SIGKILL", "close SIGKILL"});
}

TEST_CASE("timeout: without an end of the grace the child goes on") {
  Loop loop;
  Child child;
  child.shell(loop, "trap 'echo trapped' TERM; echo ready; while ! read x; do :; done; exit 9",
              {.timeout = 300ms, .kill_grace = Milliseconds::max()});
  child.read();
  REQUIRE(run_until(loop, [&] { return child.out.ends_with("trapped\n") || child.closed; }));
  CHECK_FALSE(child.closed);
  child->in().end("go\n");
  CHECK(loop.run() == 0);
  CHECK(child.exit->code == 9);
}

TEST_CASE("timeout: it is gone with the child, and does not keep the loop running") {
  Loop loop;
  Child child;
  auto begun = std::chrono::steady_clock::now();
  child.spawn(loop, "true", {}, {.timeout = 1h});
  Child endless;
  endless.spawn(loop, "true", {}, {.timeout = Milliseconds::max()});
  Child failed;
  failed.spawn(loop, "/nonexistent", {}, {.timeout = 1h});
  CHECK(loop.run() == 0);
  CHECK(std::chrono::steady_clock::now() - begun < 1min);
  CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
  CHECK_FALSE(child->killed());
  CHECK(endless.closed);
}

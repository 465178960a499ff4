// SPDX-License-Identifier: Apache-2.0
// std::stop_token in the place of Node's AbortSignal.
#include "tests/unit/process/process_fixture.h"

#include <stop_token>
#include <thread>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("abort: the child gets kill_signal, and an error tells why") {
  Loop loop;
  std::stop_source source;
  Child child;
  child.spawn(loop, "sleep", {"1000"}, {.signal = source.get_token(), .kill_signal = SIGUSR1});
  REQUIRE(run_until(loop, [&] { return child.saw("spawn"); }));
  source.request_stop();
  CHECK_FALSE(child.saw("error ABORT_ERR"));  // from the loop only
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "error ABORT_ERR", "exit SIGUSR1", "close SIGUSR1"});
  CHECK(child.errors.at(0).code() == Errc::aborted);
  CHECK(child.errors.at(0).message() == "the operation was aborted");
  CHECK(child->killed());
}

TEST_CASE("abort: a token that was stopped before lets the child start, and ends it then") {
  Loop loop;
  std::stop_source source;
  source.request_stop();
  Child child;
  child.spawn(loop, "sleep", {"1000"}, {.signal = source.get_token()});
  CHECK(child->pid().has_value());
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "error ABORT_ERR", "exit SIGTERM", "close SIGTERM"});
}

TEST_CASE("abort: a stop in the spawn listener") {
  Loop loop;
  std::stop_source source;
  Child child;
  child.spawn(loop, "sleep", {"1000"}, {.signal = source.get_token()});
  child->on_spawn([&] { source.request_stop(); });
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "error ABORT_ERR", "exit SIGTERM", "close SIGTERM"});
}

TEST_CASE("abort: the stop may come from another thread") {
  Loop loop;
  std::stop_source source;
  Child child;
  child.spawn(loop, "sleep", {"1000"}, {.signal = source.get_token()});
  std::thread other([&] { source.request_stop(); });
  CHECK(loop.run() == 0);
  other.join();
  CHECK(child.events.back() == "close SIGTERM");
  CHECK(child.saw("error ABORT_ERR"));
}

TEST_CASE("abort: children may be dropped while another thread stops them") {
  Loop loop;
  for (int i = 0; i < 30; ++i) {
    std::stop_source source;
    std::optional<process::ChildProcess> child =
        *process::spawn(loop, "cat", {}, {.signal = source.get_token()});
    std::thread other([&] { source.request_stop(); });
    child.reset();
    other.join();
  }
  CHECK(loop.run() == 0);
}

TEST_CASE("abort: after the exit it does nothing, and nothing listens to the token any more") {
  Loop loop;
  std::stop_source source;
  Child child;
  child.spawn(loop, "true", {}, {.signal = source.get_token()});
  CHECK(loop.run() == 0);
  source.request_stop();
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
  CHECK_FALSE(child->killed());
}

TEST_CASE("abort: a child that could not be started has no abort") {
  Loop loop;
  std::stop_source source;
  source.request_stop();
  Child child;
  child.spawn(loop, "/nonexistent", {}, {.signal = source.get_token()});
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"error ENOENT", "close -2"});
}

TEST_CASE("abort: a child that traps the signal is told of, and lives") {
  Loop loop;
  std::stop_source source;
  Child child;
  child.shell(loop, "trap 'echo trapped' TERM; echo ready; while ! read x; do :; done; exit 9",
              {.signal = source.get_token()});
  child.read();
  REQUIRE(run_until(loop, [&] { return child.out == "ready\n"; }));
  source.request_stop();
  REQUIRE(run_until(loop, [&] { return child.out == "ready\ntrapped\n"; }));
  child->in().end("go\n");
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "error ABORT_ERR", "exit 9", "close 9"});
}

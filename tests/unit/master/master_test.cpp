// SPDX-License-Identifier: Apache-2.0
// Master with real processes (tests/tools/fake_worker.cpp) on a real loop: deaths, hangs, broken
// channels, crash loops, stops.
#include "master_rig.h"
#include "tests/unit/base/leaks.h"

#include <csignal>
#include <fcntl.h>
#include <set>
#include <sys/wait.h>

using namespace pronghorn;
using namespace pronghorn::master;
using namespace std::chrono_literals;
using test::run_until;

namespace {

struct Rig : test::MasterRig {
  explicit Rig(std::uint32_t workers, const std::string& mode = "serve",
               SupervisorPolicy policy = {}, Millis drain = 5'000ms, Millis hang = 10'000ms) {
    config::Config config;
    config.listen = {{"127.0.0.1", 0, {}}, {{}, 0, folder / "web.sock"}};
    config.drain_timeout = drain;
    config.hang_timeout = hang;
    start({.config = config,
           .config_toml = "127.0.0.1 0\nunix " + (folder / "web.sock") + "\n",
           .config_file = "test.toml",
           .version = "0.1.0",
           .argv = {"fake_worker", mode},
           .workers = workers,
           .policy = policy,
           .on_ready = {}});
  }
  std::string get(std::size_t listener) {
    auto fd = test::connect_to(ready.addresses[listener]);
    if (!fd || !test::send_text(fd.get(), "GET\n")) return "refused";
    auto text = test::read_all(fd.get());
    return text;
  }
};

bool all_ready(const ServerStatus& status) { return status.verdict == "OK"; }
bool is_gone(int pid) { return ::kill(pid, 0) < 0 && errno == ESRCH; }

}  // namespace

TEST_CASE("master: starts the workers, tells when all listen, and serves on TCP and unix sockets") {
  Rig rig(2);
  rig.wait_ready();
  CHECK(rig.ready.workers == 2);
  CHECK(rig.ready.pid == ::getpid());
  REQUIRE(rig.ready.addresses.size() == 2);
  CHECK(rig.ready.addresses[0].port != 0);
  CHECK(rig.ready.urls[1] == "http+unix:" + (rig.folder / "web.sock"));
  CHECK(rig.get(0).starts_with("slot "));
  CHECK(rig.get(1).starts_with("slot "));
  auto status = rig.status();
  CHECK(status.verdict == "OK");
  CHECK(status.version == "0.1.0");
  CHECK(status.config_file == "test.toml");
  REQUIRE(status.workers.size() == 2);
  CHECK(status.workers[0].state == "ready");
  CHECK(status.workers[1].slot == 2);
  CHECK(status.workers[0].memory_bytes > 0);
  CHECK(status.workers[0].requests + status.workers[1].requests == 2);
  CHECK(status.listeners.size() == 2);
  rig.master->stop(StopMode::drain);
  CHECK(rig.finish() == 0);
  CHECK(!std::filesystem::exists(rig.folder / "web.sock"));
  CHECK(!std::filesystem::exists(rig.folder / "control.sock"));
  CHECK(!test::connect_to(rig.ready.addresses[0]));
}

TEST_CASE("master: a killed worker is replaced within 100 ms, and status keeps why") {
  Rig rig(2, "busy");
  rig.wait_ready();
  int old = rig.status().workers[0].pid;
  REQUIRE(::kill(old, SIGKILL) == 0);
  auto killed = Clock::now();
  ServerStatus after;
  REQUIRE(rig.wait_status([&](const ServerStatus& s) {
    after = s;
    return s.workers[0].pid != 0 && s.workers[0].pid != old;
  }));
  CHECK(Clock::now() - killed < 1s);  // the test's own slowness; the rule is the supervisor's
  CHECK(after.workers[0].exits == 1);
  CHECK(after.workers[0].last_exit == "SIGKILL in GET /report");
  CHECK(rig.wait_status(all_ready));
  CHECK(rig.ready_calls == 1);
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("master: serves while its workers are killed one after the other") {
  Rig rig(3);
  rig.wait_ready();
  std::set<int> pids;
  for (std::size_t i = 0; i < 12; ++i) {
    // get() blocks the master's loop as well: the two others answer, not the victim's successor.
    ServerStatus status;
    REQUIRE(rig.wait_status([&](const ServerStatus& s) { return all_ready(status = s); }));
    int victim = status.workers[i % 3].pid;
    pids.insert(victim);
    // What it had in hand may be lost, what comes after its death may not: wait for it, and leave
    // it to be reaped.
    siginfo_t info{};
    ::kill(victim, SIGKILL);
    REQUIRE(::waitid(P_PID, static_cast<id_t>(victim), &info, WEXITED | WNOWAIT) == 0);
    CHECK(rig.get(0).starts_with("slot "));
  }
  CHECK(pids.size() == 12);
  CHECK(rig.wait_status(all_ready));
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("master: a stopped process is suspect, then aborted and replaced") {
  Rig rig(2, "serve", {.suspect_after = 300ms, .abort_grace = 100ms}, 5'000ms, 800ms);
  rig.wait_ready();
  int victim = rig.status().workers[1].pid;
  REQUIRE(::kill(victim, SIGSTOP) == 0);
  CHECK(rig.wait_status([](const ServerStatus& s) {
    return s.workers[1].state == "suspect" && s.verdict == "DEGRADED" &&
           s.reason.starts_with("1 of 2 workers ready; worker 2 does not answer for ");
  }));
  CHECK(rig.wait_status(
      [&](const ServerStatus& s) { return s.workers[1].pid != victim && all_ready(s); }));
  CHECK(rig.status().workers[1].last_exit == "SIGKILL");  // SIGABRT waits for SIGCONT
  CHECK(is_gone(victim));
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("master: a worker that breaks the channel's protocol is killed, with bounded memory") {
  for (const char* mode : {"garbage", "flood", "endless_line"}) {
    CAPTURE(mode);
    Rig rig(1, mode);
    CHECK(rig.wait_status([](const ServerStatus& s) { return s.workers[0].exits >= 2; }));
    CHECK(rig.status().workers[0].last_exit == "SIGKILL");
    rig.master->stop(StopMode::now);
    CHECK(rig.finish() == 0);
  }
}

TEST_CASE("master: workers that crash at their start are given up, with few starts and code 70") {
  for (const char* mode : {"exit_at_once", "crash_at_start", "wrong_address"}) {
    CAPTURE(mode);
    Rig rig(2, mode, {.first_backoff = 20ms, .give_up_after = 400ms});
    std::uint64_t exits = rig.status().workers[0].exits;
    CHECK(rig.finish() == 70);
    CHECK(rig.ready_calls == 0);
    CHECK(exits <= 10);
  }
}

TEST_CASE("master: a program that is not there is given up with code 70") {
  Rig rig(1);
  rig.wait_ready();
  rig.master->stop(StopMode::now);
  CHECK(rig.finish() == 0);
  Loop loop;
  config::Config config;
  config.listen = {{"127.0.0.1", 0, {}}};
  config.control = rig.folder / "other.sock";
  Master master(loop, {.config = config,
                       .config_toml = {},
                       .config_file = {},
                       .version = {},
                       .exec_path = "/no/such/program",
                       .argv = {"x"},
                       .policy = {.first_backoff = 10ms, .give_up_after = 100ms},
                       .on_ready = {}});
  REQUIRE(master.start());
  CHECK(loop.run() == 70);
}

TEST_CASE("master: a configuration fault ends with code 78 at once") {
  Rig rig(2, "fault");
  auto begin = Clock::now();
  CHECK(rig.finish() == 78);
  CHECK(Clock::now() - begin < 10s);
}

TEST_CASE("master: a worker that never becomes ready is ended") {
  Rig rig(1, "never_ready", {.start_timeout = 100ms, .abort_grace = 50ms});
  CHECK(rig.wait_status([](const ServerStatus& s) { return s.workers[0].exits >= 1; }));
  auto status = rig.status();
  CHECK(status.workers[0].last_exit == "SIGABRT");
  CHECK(status.verdict == "DOWN");
  rig.master->stop(StopMode::now);
  CHECK(rig.finish() == 0);
}

TEST_CASE("master: a stop drops no connection that has begun") {
  Rig rig(2);
  rig.wait_ready();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 40; ++i)
    clients.push_back(test::connect_to(rig.ready.addresses[static_cast<std::size_t>(i % 2)]));
  // TCP_DEFER_ACCEPT hides those that are silent; they speak after the stop has begun.
  rig.master->stop(StopMode::drain);
  for (auto& client : clients) REQUIRE(test::send_text(client.get(), "GET\n"));
  CHECK(rig.finish() == 0);
  int answered = 0;
  for (auto& client : clients)
    answered += test::read_all(client.get()).starts_with("slot ") ? 1 : 0;
  CHECK(answered == 40);
}

TEST_CASE("master: a worker that does not leave is ended at the deadline, with exit code 0") {
  Rig rig(2, "stubborn", {}, 300ms);
  rig.wait_ready();
  auto pids = rig.status().workers;
  auto begin = Clock::now();
  rig.master->stop(StopMode::drain);
  CHECK(rig.finish() == 0);
  CHECK(Clock::now() - begin >= 300ms);
  CHECK(Clock::now() - begin < 5s);
  for (const auto& worker : pids) CHECK(is_gone(worker.pid));
}

TEST_CASE("master: a second stop does not wait") {
  Rig rig(2, "stubborn", {}, 60'000ms);
  rig.wait_ready();
  rig.master->stop(StopMode::drain);
  rig.master->stop(StopMode::drain);
  CHECK(rig.finish(10'000ms) == 0);
}

TEST_CASE("master: TERM and QUIT drain, INT stops, a second INT is 130, HUP is ignored") {
  Rig rig(1, "stubborn", {.fast_timeout = 60'000ms});
  rig.wait_ready();
  int expected = 0;
  SUBCASE("TERM") {
    ::raise(SIGHUP);
    ::raise(SIGTERM);
    ::raise(SIGTERM);
  }
  SUBCASE("INT") {
    ::raise(SIGINT);
    rig.status();  // so that they do not come together
    ::raise(SIGINT);
    expected = 130;
  }
  SUBCASE("QUIT, then INT") {
    ::raise(SIGQUIT);
    ::raise(SIGINT);
  }
  CHECK(rig.finish(10'000ms) == expected);
}

TEST_CASE("master: an address in use ends the start") {
  Rig rig(1);
  rig.wait_ready();
  Loop loop;
  config::Config config;
  config.listen = {rig.ready.addresses[0]};
  config.control = rig.folder / "other.sock";
  Master second(loop, {.config = config,
                       .config_toml = {},
                       .config_file = {},
                       .version = {},
                       .argv = {"x"},
                       .policy = {},
                       .on_ready = {}});
  auto started = second.start();
  REQUIRE(!started);
  CHECK(started.error().exit_code == 75);
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("master: descriptors do not grow with the workers that have been") {
  Rig rig(1);
  rig.wait_ready();
  auto kill_one = [&] {
    auto before = rig.status().workers[0];
    ::kill(before.pid, SIGKILL);
    REQUIRE(rig.wait_status(
        [&](const ServerStatus& s) { return s.workers[0].exits > before.exits && all_ready(s); }));
  };
  kill_one();
  auto before = test::count_descriptors();
  for (int i = 0; i < 5; ++i) kill_one();
  CHECK(test::count_descriptors() <
        before + 3);  // a client of the last status() may still be leaving
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

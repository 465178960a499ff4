// SPDX-License-Identifier: Apache-2.0
// Master with foreign programs as workers: shells that speak the channel by hand. Real Node is in
// tests/e2e/run_test.py.
#include "master_rig.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>

using namespace pronghorn;
using namespace pronghorn::master;
using namespace std::chrono_literals;
using test::run_until;

namespace {

// Says that it is ready, and leaves when it is told anything, or at the channel's end.
const std::string kReady = "echo '\"ready\"' >&3; head -c 1 <&3 >/dev/null";

struct Rig : test::MasterRig {
  Rig(std::uint32_t own, std::vector<Master::Program> programs, SupervisorPolicy policy = {},
      Millis drain = 5'000ms) {
    config::Config config;
    config.listen.clear();
    if (own > 0) config.listen = {{"127.0.0.1", 0, {}}};
    // The fake worker accepts by itself.
    config.scheduling = own > 0 ? Scheduling::shared : Scheduling::round_robin;
    config.drain_timeout = drain;
    start({.config = config,
           .config_toml = "127.0.0.1 0\n",
           .config_file = {},
           .version = {},
           .argv = {"fake_worker", "serve"},
           .workers = own,
           .programs = std::move(programs),
           .policy = policy,
           .on_ready = {}});
  }
};

Master::Program shell(std::string script, std::uint32_t workers, std::string title = "sh") {
  return {.title = std::move(title),
          .file = "sh",
          .args = {"-c", std::move(script)},
          .workers = workers};
}

}  // namespace

TEST_CASE("programs: their slots follow our own, and each is known by its title") {
  Rig rig(1, {shell(kReady, 2, "first"), shell(kReady, 1, "second")});
  REQUIRE(run_until(rig.loop, [&] { return rig.ready_calls > 0; }));
  CHECK(rig.ready.workers == 4);
  CHECK(rig.ready.urls.size() == 1);
  CHECK(rig.ready.opened.empty());
  auto status = rig.status();
  CHECK(status.verdict == "OK");
  std::vector<std::string> titles;
  for (const auto& worker : status.workers) titles.push_back(worker.program);
  CHECK(titles == std::vector<std::string>{"", "first", "first", "second"});
  CHECK(status.workers[0].heartbeat_ms >= 0);
  CHECK(status.workers[1].heartbeat_ms == -1);
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: with no workers of our own there is no listener, and one that says ready is") {
  Rig rig(0, {shell(kReady, 2)});
  REQUIRE(run_until(rig.loop, [&] { return rig.ready_calls > 0; }));
  CHECK(rig.ready.workers == 2);
  CHECK(rig.ready.urls.empty());
  CHECK(rig.status().listeners.empty());
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: one that says ready just before it listens is ready with its address") {
  Rig rig(
      0,
      {shell("echo '\"ready\"' >&3; true | true; "
             "echo '{\"cmd\":\"NODE_CLUSTER\",\"act\":\"listening\",\"address\":\"h\",\"port\":7,"
             "\"addressType\":4,\"seq\":1}' >&3; head -c 1 <&3 >/dev/null",
             1)});
  REQUIRE(run_until(rig.loop, [&] { return rig.ready_calls > 0; }));
  CHECK(rig.ready.opened.size() == 1);
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: one that neither listens nor says ready is ended by SIGTERM") {
  Rig rig(0, {shell("exec sleep 60", 1)}, {.start_timeout = 100ms, .abort_grace = 50ms});
  CHECK(rig.wait_status([](const ServerStatus& s) { return s.workers[0].exits >= 1; }));
  CHECK(rig.status().workers[0].last_exit == "SIGTERM");
  rig.master->stop(StopMode::now);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: has a process group of its own, which Ctrl-C does not reach") {
  Rig rig(0, {shell(kReady, 1)});
  REQUIRE(run_until(rig.loop, [&] { return rig.ready_calls > 0; }));
  const int pid = rig.status().workers[0].pid;
  CHECK(::getpgid(pid) == pid);
  CHECK(::getsid(pid) == ::getsid(0));
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: what does not leave when asked gets SIGTERM at drain_timeout, then SIGKILL") {
  // It reads nothing, so it is not even told that it should leave.
  Rig rig(0, {shell("trap '' TERM; echo '\"ready\"' >&3; while :; do sleep 0.05; done", 1)},
          {.drain_grace = 10ms, .term_grace = 50ms}, 100ms);
  REQUIRE(run_until(rig.loop, [&] { return rig.ready_calls > 0; }));
  const int pid = rig.status().workers[0].pid;
  rig.master->stop(StopMode::drain);
  CHECK(rig.finish() == 0);
  CHECK(::kill(pid, 0) < 0);
}

TEST_CASE("programs: one that is asked to leave and has ended its channel is not waited for long") {
  Rig rig(0, {shell("echo '\"ready\"' >&3; head -c 1 <&3 >/dev/null; exec 3<&-; exec sleep 60", 1)},
          {.leave_grace = 50ms}, 15'000ms);
  REQUIRE(run_until(rig.loop, [&] { return rig.ready_calls > 0; }));
  auto begun = Clock::now();
  rig.master->stop(StopMode::drain);
  CHECK(rig.finish() == 0);
  CHECK(Clock::now() - begun < 10s);
}

TEST_CASE(
    "programs: one that never answers for a connection keeps no other from its graceful end") {
  test::Folder here;
  const std::string reply = here / "reply";
  const std::string told = here / "told";
  const std::string query = R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,)"
                            R"("address":"127.0.0.1","port":0,"addressType":4,"seq":1})";
  Rig rig(
      0,
      {shell("echo '\"ready\"' >&3; echo '" + query + "' >&3; read -r line <&3; echo \"$line\" >" +
                 reply + ".new; mv " + reply + ".new " + reply + "; exec sleep 60",
             1),
       shell(kReady + "; echo >" + told, 1)},
      {}, 3'000ms);
  REQUIRE(
      run_until(rig.loop, [&] { return rig.ready_calls > 0 && std::filesystem::exists(reply); }));
  std::string text;
  std::getline(std::ifstream(reply), text);
  const auto port = text.find("\"port\":");
  REQUIRE(port != std::string::npos);
  const UniqueFd client = test::connect_to(
      {"127.0.0.1", static_cast<std::uint16_t>(std::stoi(text.substr(port + 7))), {}});
  REQUIRE(client);
  rig.master->stop(StopMode::drain);
  // SIGTERM at the deadline would end it before it has written this.
  CHECK(run_until(rig.loop, [&] { return std::filesystem::exists(told); }));
  rig.master->stop(StopMode::now);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: what status tells of their addresses is bounded") {
  test::Folder here;
  const std::string done = here / "done";
  Rig rig(0, {shell(R"(i=0; while [ $i -lt 300 ]; do i=$((i+1)); )"
                    R"(echo '{"cmd":"NODE_CLUSTER","act":"listening","address":"h","port":'$i',)"
                    R"("addressType":4,"seq":'$i'}' >&3; done; echo >)" +
                        done + "; head -c 1 <&3 >/dev/null",
                    1)});
  REQUIRE(run_until(rig.loop, [&] { return std::filesystem::exists(done); }));
  CHECK(rig.wait_status([](const ServerStatus& s) { return s.listeners.size() >= 64; }));
  CHECK(rig.status().listeners.size() == 64);
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: messages of its own are no flood, however many") {
  test::Folder here;
  const std::string done = here / "done";
  Rig rig(0, {shell("echo '\"ready\"' >&3; i=0; while [ $i -lt 4000 ]; do echo '{\"n\":1}' >&3; "
                    "i=$((i+1)); done; echo >" +
                        done + "; head -c 1 <&3 >/dev/null",
                    1)});
  REQUIRE(run_until(rig.loop, [&] { return std::filesystem::exists(done); }));
  CHECK(rig.wait_status([](const ServerStatus& s) { return s.workers[0].state == "ready"; }));
  CHECK(rig.status().workers[0].exits == 0);
  rig.master->stop(StopMode::fast);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: internal messages are limited, and its successor takes over") {
  Rig rig(0,
          {shell("i=0; while [ $i -lt 4000 ]; do echo '{\"cmd\":\"NODE_CLUSTER\",\"act\":\"x\"}' "
                 ">&3; i=$((i+1)); done; head -c 1 <&3 >/dev/null",
                 1)});
  CHECK(rig.wait_status([](const ServerStatus& s) { return s.workers[0].exits >= 1; }));
  CHECK(rig.status().workers[0].last_exit == "SIGKILL");
  rig.master->stop(StopMode::now);
  CHECK(rig.finish() == 0);
}

TEST_CASE("programs: what the last one wrote is out before the end") {
  test::Folder folder;
  const std::string file = folder / "out";
  UniqueFd out(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  UniqueFd before(::dup(STDOUT_FILENO));
  REQUIRE(::dup2(out.get(), STDOUT_FILENO) >= 0);
  {
    Rig rig(0, {shell("echo '\"ready\"' >&3; head -c 1 <&3 >/dev/null; "
                      "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; printf end",
                      1)});
    run_until(rig.loop, [&] { return rig.ready_calls > 0; });
    rig.master->stop(StopMode::drain);
    rig.finish();
  }
  ::dup2(before.get(), STDOUT_FILENO);
  std::string text(static_cast<std::size_t>(::lseek(out.get(), 0, SEEK_END)), '\0');
  REQUIRE(::pread(out.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  CHECK(text.starts_with("worker 1 | line 0\nworker 1 | line 1\n"));
  CHECK(text.ends_with("worker 1 | line 199\nworker 1 | end\n"));
}

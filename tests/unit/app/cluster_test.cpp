// SPDX-License-Identifier: Apache-2.0
// Cluster in the primary: settings, scheduling, failed starts, lifetime and supervision.
#include "tests/unit/app/cluster_rig.h"

using namespace pronghorn;
using namespace pronghorn::test;
using process::Stdio;

namespace {

Error refusal(const ClusterSettings& settings) {
  Loop loop;
  Cluster cluster(loop);
  auto set = cluster.setup_primary(settings);
  REQUIRE_FALSE(set.has_value());
  // Nothing of it is in force.
  CHECK_FALSE(cluster.settings().exec.has_value());
  return set.error();
}

}  // namespace

TEST_CASE("cluster settings: what is wrong is refused by its name") {
  auto names = [](const ClusterSettings& settings, std::string_view field) {
    const Error error = refusal(settings);
    CHECK(error.message().starts_with(field));
    return error.code();
  };
  CHECK(names({.exec = "a", .stdio = process::StdioList{Stdio::pipe, Stdio::pipe, Stdio::pipe}},
              "stdio") == Errc::ipc_required);
  CHECK(names({.stdio = process::StdioList{Stdio::ipc, Stdio::ipc, Stdio::pipe}}, "stdio") ==
        Errc::ipc_one_pipe);
  CHECK(names({.exec = std::string("a\0b", 3)}, "exec") == Errc::invalid_arg_value);
  CHECK(names({.exec = ""}, "exec") == Errc::invalid_arg_value);
  CHECK(names({.exec_path = "node"}, "exec") == Errc::invalid_arg_value);
  CHECK(names({.args = {{std::string("\0", 1)}}}, "args") == Errc::invalid_arg_value);
  CHECK(names({.uid = static_cast<uid_t>(-1)}, "uid") == Errc::out_of_range);
  CHECK(names({.disconnect_timeout = std::chrono::milliseconds(-1)}, "disconnect_timeout") ==
        Errc::invalid_arg_value);
}

TEST_CASE("cluster settings: they add up, and setup is told each time") {
  Loop loop;
  Cluster cluster(loop);
  std::vector<std::string> told;
  cluster.on_setup([&](const ClusterSettings& s) { told.push_back(s.exec.value_or("-")); });
  REQUIRE(cluster.setup_primary({.cwd = "/"}).has_value());
  REQUIRE(cluster.setup_primary({.exec = "one"}).has_value());
  REQUIRE(cluster.setup_primary({.silent = true}).has_value());
  CHECK(told.empty());
  CHECK(cluster.settings().cwd == "/");
  CHECK(cluster.settings().exec == "one");
  CHECK(loop.run() == 0);
  CHECK(told == std::vector<std::string>{"-", "one", "one"});
}

TEST_CASE("cluster scheduling: by NODE_CLUSTER_SCHED_POLICY, and fixed by the first setup") {
  Loop loop;
  SUBCASE("default") { CHECK(Cluster(loop).scheduling_policy() == Scheduling::round_robin); }
  SUBCASE("none") {
    ::setenv("NODE_CLUSTER_SCHED_POLICY", "none", 1);
    CHECK(Cluster(loop).scheduling_policy() == Scheduling::shared);
  }
  SUBCASE("rr") {
    ::setenv("NODE_CLUSTER_SCHED_POLICY", "rr", 1);
    Cluster cluster(loop);
    CHECK(cluster.scheduling_policy() == Scheduling::round_robin);
    cluster.set_scheduling_policy(Scheduling::least_connections);
    CHECK(cluster.scheduling_policy() == Scheduling::least_connections);
    REQUIRE(cluster.setup_primary({}).has_value());
    cluster.set_scheduling_policy(Scheduling::shared);
    CHECK(cluster.scheduling_policy() == Scheduling::least_connections);
  }
}

TEST_CASE("cluster: a worker that cannot be started tells an error and its exit, and is gone") {
  Loop loop;
  Cluster cluster(loop);
  Events events;
  int number = ENOENT;
  ClusterSettings settings{.exec = "/nonexistent/program", .args = {std::vector<std::string>()}};
  SUBCASE("it is not there") {}
  SUBCASE("it is more than the kernel takes") {
    number = E2BIG;
    settings = {.exec = "true", .args = {{std::string(3'000'000, 'x')}}};
  }
  REQUIRE(cluster.setup_primary(settings).has_value());
  cluster.on_fork([&](Worker&) { events.emplace_back("fork"); });
  cluster.on_disconnect([&](Worker&) { events.emplace_back("disconnect"); });
  cluster.on_exit([&](Worker& w, const process::Exit& exit) {
    CHECK(exit.code == -number);
    CHECK(w.is_dead());
    CHECK(cluster.workers().empty());
    events.emplace_back("exit");
  });
  Worker& worker = cluster.fork();
  worker.on_error([&](const Error& error) {
    CHECK(error.errno_value() == number);
    events.emplace_back("error");
  });
  CHECK(cluster.workers().size() == 1);
  CHECK_FALSE(worker.process().pid().has_value());
  CHECK(loop.run() == 0);
  CHECK(events == Events{"fork", "error", "exit"});
}

TEST_CASE("cluster: it may go within each of its callbacks") {
  for (const std::string event : {"setup", "fork", "online", "message", "listening", "disconnect",
                                  "exit", "done", "worker online", "worker exit"}) {
    CAPTURE(event);
    ClusterRig rig;
    bool gone = false;
    auto go = [&](const std::string& at) {
      if (at != event) return;
      rig.cluster.reset();
      gone = true;
    };
    rig.cluster->on_setup([&](const ClusterSettings&) { go("setup"); });
    rig.cluster->on_fork([&](Worker&) { go("fork"); });
    rig.cluster->on_online([&](Worker&) { go("online"); });
    rig.cluster->on_listening([&](Worker& worker, const Address&) {
      go("listening");
      if (gone) return;
      if (event == "done") {
        rig.cluster->disconnect([&] { go("done"); });
      } else {
        worker.kill();
      }
    });
    rig.cluster->on_message([&](Worker&, const Json&) { go("message"); });
    rig.cluster->on_disconnect([&](Worker&) { go("disconnect"); });
    rig.cluster->on_exit([&](Worker&, const process::Exit&) { go("exit"); });
    Worker& worker = rig.fork("serve", {{"SAY", "1"}});
    worker.on_online([&] { go("worker online"); });
    worker.on_exit([&](const process::Exit&) { go("worker exit"); });
    CHECK(run_until(rig.loop, [&] { return gone; }));
    rig.loop.run();
  }
}

TEST_CASE("cluster: disconnect() of a cluster without workers is done in the next turn") {
  Loop loop;
  Cluster cluster(loop);
  int done = 0;
  cluster.disconnect([&] { ++done; });
  cluster.disconnect();
  CHECK(done == 0);
  CHECK(loop.run() == 0);
  CHECK(done == 1);
}

TEST_CASE("cluster supervision: what dies is replaced, until the cluster is disconnected") {
  ClusterRig rig;
  ::setenv("WORKER", "serve", 1);
  rig.cluster->supervise({.workers = 2});
  REQUIRE(rig.until("listening 1"));
  REQUIRE(rig.until("listening 2"));
  rig.cluster->workers().at(1)->kill(SIGKILL);
  REQUIRE(rig.until("listening 3"));
  CHECK(rig.cluster->workers().size() == 2);
  rig.cluster->workers().at(2)->disconnect();  // also what is told to leave: by another
  REQUIRE(rig.until("listening 4"));
  bool done = false;
  rig.cluster->disconnect([&] { done = true; });
  CHECK(rig.loop.run() == 0);
  CHECK(done);
  CHECK(rig.saw("exit 3 0"));
  CHECK(rig.saw("exit 4 0"));
  CHECK_FALSE(rig.saw("online 5"));
}

TEST_CASE("cluster supervision: a worker whose loop does not turn is ended, and replaced") {
  ClusterRig rig;
  ::setenv("WORKER", "hang", 1);
  rig.cluster->supervise({.workers = 1, .hang_timeout = std::chrono::milliseconds(300)});
  REQUIRE(rig.until("listening 1"));
  REQUIRE(rig.cluster->workers().at(1)->send("now").has_value());
  REQUIRE(rig.until("listening 2"));
  CHECK(rig.saw("exit 1 SIGABRT"));
}

TEST_CASE("cluster supervision: it gives up on workers that never listen") {
  ClusterRig rig;
  ::setenv("WORKER", "fail", 1);
  SupervisionPolicy policy{.workers = 1,
                           .first_backoff = std::chrono::milliseconds(1),
                           .longest_backoff = std::chrono::milliseconds(2),
                           .give_up_after = std::chrono::milliseconds(1)};
  SUBCASE("and ends the loop") {
    rig.cluster->supervise(policy);
    CHECK(rig.loop.run() == 70);
  }
  SUBCASE("and tells why") {
    std::string why;
    policy.on_give_up = [&](const Error& error) {
      why = error.message();
      rig.cluster.reset();
    };
    rig.cluster->supervise(policy);
    CHECK(rig.loop.run() == 0);
    CHECK(why.find("exited with code 0") != std::string::npos);
  }
}

// SPDX-License-Identifier: Apache-2.0
// Connections handed over to unmodified Node workers: in turn, at a worker's death, at its limits.
#include "master/cluster/hand_over.h"
#include "tests/unit/process/process_fixture.h"

#include <csignal>
#include <future>
#include <map>
#include <memory>
#include <sys/resource.h>

using namespace pronghorn;
using namespace pronghorn::test;
using master::HandOver;
using master::Member;

namespace {

constexpr const char* kServer = R"(
  const cluster = require('cluster');
  if (!cluster.isWorker) process.exit(9);
  const s = require('http').createServer((q, r) => r.end('worker ' + cluster.worker.id));
  if (process.env.AT_MOST) s.maxConnections = Number(process.env.AT_MOST);
  s.listen(0, '127.0.0.1');)";

struct Worker {
  Child child{};
  std::unique_ptr<Member> member{};
  bool listens = false;
};

struct NodeRig {
  Loop loop;
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(511, &port);
  master::HandOverTotals totals;
  std::unique_ptr<HandOver> server;
  std::int64_t seq = 0;
  std::map<std::uint64_t, Worker> workers;
  std::vector<std::future<std::string>> answers;

  NodeRig() {
    server = HandOver::open(loop, {.listener = listener.get(),
                                   .key = "127.0.0.1:0:4:undefined:0",
                                   .picker = master::make_round_robin(),
                                   .totals = &totals})
                 .value();
  }
  ~NodeRig() {
    for (auto& [id, worker] : workers) worker.child->kill(SIGKILL);
    run_until(loop, [&] { return ended(); });
  }
  bool ended() const {
    return std::ranges::all_of(workers, [](auto& entry) { return entry.second.child.closed; });
  }
  void start(std::uint64_t id, const char* at_most = "") {
    Worker& worker = workers[id];
    worker.child.take(
        process::fork(loop, kServer, {"worker"},
                      {.env_merge = {{"NODE_UNIQUE_ID", std::to_string(id)}, {"AT_MOST", at_most}},
                       .exec_path = "node",
                       .exec_argv = {"-e"}}));
    worker.member = std::make_unique<Member>(
        id, std::nullopt, seq,
        [&worker](const ipc::InternalMessage& message, const ipc::Handle* handle) -> Result<bool> {
          auto* channel = worker.child->channel();
          if (channel == nullptr) {
            return std::unexpected(Error(Errc::ipc_channel_closed, "the channel is closed"));
          }
          return handle == nullptr ? channel->send(message) : channel->send(message, *handle);
        });
    worker.child->on_internal([this, &worker](const Json& json, ipc::ReceivedHandle&) {
      if (auto message = ipc::decode_cluster_message(json)) take(worker, *message);
    });
    worker.child->on_disconnect([this, &worker] { server->leave(*worker.member, true); });
    REQUIRE(run_until(loop, [&] { return worker.listens; }));
  }
  void take(Worker& worker, const ipc::ClusterMessage& message) {
    worker.member->take_reply(message);
    if (message.act == "listening") worker.listens = true;
    if (message.act != "queryServer") return;
    const ipc::ClusterMessage reply{
        .seq = seq++,
        .ack = message.seq,
        .key = "127.0.0.1:0:4:undefined:0",
        .sockname = Address{.address = "127.0.0.1", .port = port, .type = AddressType::ipv4}};
    REQUIRE(worker.member->send(ipc::encode_handing_reply(reply)).has_value());
    server->joined(*worker.member);
  }
  /// A request from a thread of its own, as our loop must run.
  void ask() { answers.push_back(std::async(std::launch::async, http_get, port)); }
  bool is_answered(std::size_t n) {
    return answers[n].wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  std::string answer() {
    const std::size_t n = answers.size();
    ask();
    REQUIRE(run_until(loop, [&] { return is_answered(n); }));
    return answers[n].get();
  }
};

}  // namespace

TEST_CASE("hand over to node: its http workers answer in strict rotation") {
  if (!has_node()) return;
  NodeRig rig;
  for (std::uint64_t id : {1, 2, 3}) rig.start(id);
  for (int i = 0; i < 12; ++i) CHECK(rig.answer() == "worker " + std::to_string(i % 3 + 1));
  CHECK(rig.totals.handed_over == 12);
  CHECK(rig.server->waiting() == 0);
}

TEST_CASE("hand over to node: a worker killed before it replied, and its client is answered") {
  if (!has_node()) return;
  NodeRig rig;
  for (std::uint64_t id : {1, 2}) rig.start(id);
  rig.workers[1].child->kill(SIGSTOP);
  rig.ask();
  REQUIRE(run_until(rig.loop, [&] { return rig.server->waiting() == 1; }));
  CHECK(rig.answer() == "worker 2");  // which the stopped one does not stall
  CHECK_FALSE(rig.is_answered(0));
  rig.workers[1].child->kill(SIGKILL);
  REQUIRE(run_until(rig.loop, [&] { return rig.is_answered(0); }));
  CHECK(rig.answers[0].get() == "worker 2");
  CHECK(rig.totals.recovered == 1);
  CHECK(rig.server->waiting() == 0);
}

TEST_CASE("hand over to node: at everybody's maxConnections it waits, and does not spin") {
  if (!has_node()) return;
  NodeRig rig;
  for (std::uint64_t id : {1, 2}) rig.start(id, "1");
  std::vector<UniqueFd> idle;
  for (std::uint64_t n : {1, 2}) {
    idle.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(rig.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(idle.back().get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(run_until(rig.loop, [&] { return rig.totals.handed_over == n; }));
  }
  rig.ask();
  REQUIRE(run_until(rig.loop, [&] { return rig.totals.refused >= 2; }));
  auto cpu_us = [] {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
  };
  const auto before = cpu_us();
  const auto refused = rig.totals.refused;
  const auto until = uv_hrtime() + 500'000'000;
  run_until(rig.loop, [&] { return uv_hrtime() >= until; });
  MESSAGE("CPU of 500 ms: ", cpu_us() - before, " us; refusals: ", rig.totals.refused - refused);
  CHECK(cpu_us() - before < 25'000);  // Node: 210'000
  CHECK(rig.totals.refused - refused <= 20);
  CHECK_FALSE(rig.is_answered(0));
  idle.pop_back();
  REQUIRE(run_until(rig.loop, [&] { return rig.is_answered(0); }));
  CHECK(rig.answers[0].get().starts_with("worker "));
}

TEST_CASE("hand over to node: a worker out of descriptors loses no connection") {
  if (!has_node()) return;
  NodeRig rig;
  for (std::uint64_t id : {1, 2}) rig.start(id);
  rlim_t open = 0;
  const auto pid = rig.workers[1].child->pid().value();
  for (auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    open = std::max<rlim_t>(open, std::stoul(entry.path().filename()) + 1);
  }
  rlimit limit{};
  REQUIRE(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) == 0);
  const rlimit none{open, limit.rlim_max};
  REQUIRE(::prlimit(pid, RLIMIT_NOFILE, &none, nullptr) == 0);
  for (int i = 0; i < 3; ++i) CHECK(rig.answer() == "worker 2");
  CHECK(rig.totals.refused >= 1);
  REQUIRE(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) == 0);
  REQUIRE(run_until(rig.loop, [&] { return rig.answer() == "worker 1"; }));
}

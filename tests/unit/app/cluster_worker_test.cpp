// SPDX-License-Identifier: Apache-2.0
// The workers of the cluster tests, and what a worker of ours does under a primary of ours.
#include "tests/unit/app/cluster_rig.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <stdlib.h>
#include <system_error>
#include <thread>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct HelperWorker {
  Loop loop;
  std::optional<Cluster> cluster{std::in_place, loop};
  std::optional<Server> server{std::in_place, loop};

  void serve(const char* where) {
    server->get("/", [this](const Request&) {
      return Response::text("worker " + std::to_string(cluster->worker().id()));
    });
    server->on_error([this](const Error& error) { (void)cluster->worker().send(error.name()); });
    REQUIRE(server->listen(where).has_value());
  }
  void run(const std::string& what) {
    Worker& self = cluster->worker();
    if (what == "serve") serve("127.0.0.1:0");
    if (what == "fail") ::_exit(0);
    if (what == "fork") {  // as doctest would report it
      ::signal(SIGABRT, SIG_DFL);
      cluster->fork();
    }
    if (std::getenv("SAY") != nullptr) (void)self.send("said");
    if (what == "echo") self.on_message([&self](const Json& m) { (void)self.send(m); });
    if (what == "deaf" || what == "stubborn") {  // its exclusive server keeps its loop running
      ::signal(SIGTERM, what == "deaf" ? SIG_DFL : SIG_IGN);
      server->on_listening([&self](const Address&) { (void)self.send("deaf"); });
      REQUIRE(server->listen("127.0.0.1:0", {.exclusive = true}).has_value());
    }
    if (what == "hang") {  // as doctest would report it
      ::signal(SIGABRT, SIG_DFL);
      serve("127.0.0.1:0");
      self.on_message([](const Json&) {
        for (;;) ::pause();
      });
    }
    if (what == "greet") {  // writes to the socket that comes, and sends it back
      self.on_message([&self](const Json& message, ipc::ReceivedHandle& handle) {
        const std::string text = "from the worker";
        CHECK(::send(handle.fd.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
        CHECK(self.send(message, ipc::Handle::socket(handle.fd.get())).has_value());
      });
    }
    if (what == "place") {
      const char* home = std::getenv("HOME");
      (void)self.send({std::filesystem::current_path().string(), home != nullptr ? home : "none"});
    }
    if (what == "second") {
      try {
        Cluster another(loop);
        (void)self.send(another.is_primary() ? "a primary" : "a worker");
      } catch (const std::system_error& error) {
        (void)self.send(error.what());
      }
    }
    if (what == "drop") {  // the Cluster goes within its own callback
      self.on_message([this](const Json&) {
        server.reset();
        cluster.reset();
      });
      (void)self.send("ready");
    }
    ::_exit(loop.run());
  }
};

}  // namespace

TEST_CASE("helper cluster worker" * doctest::skip()) {
  HelperWorker worker;
  REQUIRE(worker.cluster->is_worker());
  worker.run(std::getenv("WORKER"));
}

namespace {

/// The answers to `times` requests, each over a connection of its own.
std::map<std::string, int> ask(Loop& loop, std::uint16_t port, int times) {
  std::map<std::string, int> answers;
  std::atomic<bool> over = false;
  std::thread client([&] {
    for (int i = 0; i < times; ++i) ++answers[http_get(port)];
    over = true;
  });
  CHECK(run_until(loop, [&] { return over.load(); }));
  client.join();
  return answers;
}

}  // namespace

TEST_CASE("cluster: workers of this program listen on one port, and answer in turn") {
  ClusterRig rig;
  rig.fork("serve");
  rig.fork("serve");
  REQUIRE(rig.until("listening 1"));
  REQUIRE(rig.until("listening 2"));
  CHECK(rig.addresses[1] == rig.addresses[2]);
  CHECK(ask(rig.loop, rig.addresses[1].port, 10) ==
        std::map<std::string, int>{{"worker 1", 5}, {"worker 2", 5}});
}

TEST_CASE("cluster: each scheduling serves") {
  Scheduling scheduling{};
  SUBCASE("shared") { scheduling = Scheduling::shared; }
  SUBCASE("reuseport") { scheduling = Scheduling::reuseport; }
  SUBCASE("round_robin") { scheduling = Scheduling::round_robin; }
  SUBCASE("least_connections") { scheduling = Scheduling::least_connections; }
  ClusterRig rig({}, scheduling);
  rig.fork("serve");
  REQUIRE(rig.until("listening 1"));
  CHECK(ask(rig.loop, rig.addresses[1].port, 3) == std::map<std::string, int>{{"worker 1", 3}});
}

TEST_CASE("cluster: least_connections goes by the counters of this program's workers") {
  ClusterRig rig({}, Scheduling::least_connections);
  rig.fork("serve");
  rig.fork("serve");
  REQUIRE(rig.until("listening 1"));
  REQUIRE(rig.until("listening 2"));
  // Each stays open, and counts.
  std::vector<UniqueFd> connections;
  std::map<char, int> of;
  for (int i = 0; i < 6; ++i) {
    UniqueFd fd = connect_to(rig.addresses[1].port);
    const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    REQUIRE(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    std::string answer;
    REQUIRE(run_until(rig.loop, [&] {
      std::array<char, 512> space{};
      const ssize_t n = ::recv(fd.get(), space.data(), space.size(), MSG_DONTWAIT);
      if (n > 0) answer.append(space.data(), static_cast<std::size_t>(n));
      return answer.find("worker ") != std::string::npos;
    }));
    ++of[answer.back()];
    connections.push_back(std::move(fd));
  }
  CHECK(of == std::map<char, int>{{'1', 3}, {'2', 3}});
}

TEST_CASE(
    "cluster: a worker that is no program of ours is refused least_connections, and says why") {
  if (!has_node()) return;
  ClusterRig rig({}, Scheduling::least_connections);
  rig.be_node("require('http').createServer().on('error', e => process.send(e.code)).listen(0)");
  rig.cluster->fork();
  REQUIRE(run_until(rig.loop, [&] { return !rig.messages.empty(); }));
  CHECK(rig.messages.front() == "\"ENOTSUP\"");
}

TEST_CASE("cluster: unmodified Node workers, in both of Node's ways") {
  if (!has_node()) return;
  Scheduling way{};
  SUBCASE("round robin") { way = Scheduling::round_robin; }
  SUBCASE("shared") { way = Scheduling::shared; }
  ClusterRig rig({}, way);
  rig.be_node(
      "require('http').createServer((q, r) => r.end('worker ' + require('cluster').worker.id))"
      ".listen(0, '127.0.0.1')");
  rig.cluster->fork();
  REQUIRE(rig.until("listening 1"));
  CHECK(ask(rig.loop, rig.addresses[1].port, 3) == std::map<std::string, int>{{"worker 1", 3}});
  bool done = false;
  rig.cluster->disconnect([&] { done = true; });
  REQUIRE(rig.until("exit 1 0"));
  CHECK(done);
}

TEST_CASE("cluster: a worker of this program under a Node primary, in both of its ways") {
  if (!has_node()) return;
  SUBCASE("round robin") { ::setenv("WAY", "rr", 1); }
  SUBCASE("shared") { ::setenv("WAY", "none", 1); }
  const std::string out = run_node(R"(
    const cluster = require('cluster');
    cluster.schedulingPolicy = process.env.WAY === 'none' ? 1 : 2;
    process.execPath = process.env.HELPER;
    cluster.setupPrimary({ exec: '--test-case=helper cluster worker', args: ['--no-skip'], execArgv: [] });
    const said = [];
    const worker = cluster.fork({ WORKER: 'serve' });
    for (const event of ['online', 'listening', 'disconnect', 'exit'])
      cluster.on(event, (w) => said.push(event + ' ' + w.exitedAfterDisconnect));
    cluster.on('listening', (w, address) => require('http').get({ port: address.port, host: '127.0.0.1', agent: false }, (r) => {
      r.on('data', (d) => said.push('answer ' + d));
      r.on('end', () => worker.disconnect());
    }));
    worker.on('exit', (code) => { setImmediate(() => console.log(said.join(', '), code)); });
  )");
  CHECK(
      out.find(
          "online undefined, listening undefined, answer worker 1, disconnect true, exit true 0") !=
      std::string::npos);
}

TEST_CASE(
    "cluster: messages both ways; one to a worker that is dead is an error, and nothing more") {
  ClusterRig rig;
  Worker& worker = rig.fork("echo");
  worker.on_online([&] { CHECK(worker.send({{"hello", "world"}}).has_value()); });
  REQUIRE(run_until(rig.loop, [&] { return !rig.messages.empty(); }));
  CHECK(rig.messages.front() == R"({"hello":"world"})");
  Errc code{};
  worker.on_exit([&](const process::Exit&) {
    auto sent = worker.send("late");
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error().code() == Errc::ipc_channel_closed);
    code = Errc::ipc_channel_closed;
  });
  worker.kill("SIGKILL");
  REQUIRE(rig.until("exit 1 SIGKILL"));
  CHECK(code == Errc::ipc_channel_closed);
  CHECK(rig.cluster->workers().empty());
}

TEST_CASE("cluster: a worker starts where the settings say, without what fork() takes away") {
  ClusterRig rig({.cwd = "/"});
  ::setenv("HOME", "/somewhere", 1);
  rig.fork("place");
  REQUIRE(run_until(rig.loop, [&] { return rig.messages.size() == 1; }));
  rig.fork("place", process::Environment().unset("HOME"));
  REQUIRE(run_until(rig.loop, [&] { return rig.messages.size() == 2; }));
  CHECK(rig.messages == std::vector<std::string>{R"(["/","/somewhere"])", R"(["/","none"])"});
}

TEST_CASE("cluster: a socket goes with a message to a worker, and comes back with one") {
  ClusterRig rig;
  Worker& worker = rig.fork("greet");
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  worker.on_online([&] {
    CHECK(worker.send({{"id", 7}}, ipc::Handle::socket(theirs.get())).has_value());
    theirs.reset();  // it was duplicated
  });
  UniqueFd back;
  rig.cluster->on_message([&](Worker& from, const Json& message, ipc::ReceivedHandle& handle) {
    CHECK(from.id() == 1);
    CHECK(message == Json{{"id", 7}});
    CHECK(handle.type == ipc::HandleType::net_socket);
    back = std::move(handle.fd);
  });
  REQUIRE(run_until(rig.loop, [&] { return static_cast<bool>(back); }));
  REQUIRE(::send(back.get(), ", and back", 10, MSG_NOSIGNAL) == 10);
  std::array<char, 64> heard{};
  const ssize_t n = ::recv(ours.get(), heard.data(), heard.size(), 0);
  CHECK(std::string_view(heard.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))) ==
        "from the worker, and back");
}

TEST_CASE("cluster: the port is closed as soon as all are told to leave") {
  ClusterRig rig;
  Worker& worker = rig.fork("serve");
  REQUIRE(rig.until("listening 1"));
  worker.kill(SIGSTOP);  // it cannot leave yet
  bool done = false;
  rig.cluster->disconnect([&] { done = true; });
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(rig.addresses[1].port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) < 0);
  CHECK(errno == ECONNREFUSED);
  CHECK_FALSE(done);
  worker.kill(SIGCONT);
  REQUIRE(rig.until("exit 1 0"));
  CHECK(done);
}

TEST_CASE(
    "cluster: an address stays open while no worker lives, and the next one answers what waited") {
  ClusterRig rig;
  rig.fork("serve");
  REQUIRE(rig.until("listening 1"));
  const std::uint16_t port = rig.addresses[1].port;
  rig.cluster->workers().at(1)->kill(SIGKILL);
  REQUIRE(rig.until("exit 1 SIGKILL"));
  rig.fork("serve");
  CHECK(ask(rig.loop, port, 1) == std::map<std::string, int>{{"worker 2", 1}});
}

TEST_CASE("cluster: a worker's number without a channel is refused, and says what is missing") {
  Loop loop;
  ::setenv("NODE_UNIQUE_ID", "1", 1);
  CHECK_THROWS_WITH_AS(Cluster{loop},
                       "cannot be a worker: NODE_UNIQUE_ID is set, and NODE_CHANNEL_FD is not: Bad "
                       "file descriptor",
                       std::system_error);
}

TEST_CASE("cluster: a second one in a worker is no primary, and says why") {
  ClusterRig rig;
  rig.fork("second");
  REQUIRE(run_until(rig.loop, [&] { return !rig.messages.empty(); }));
  CHECK(rig.messages.front().contains("this worker's channel is taken already"));
}

TEST_CASE("cluster: the primary's loop ends when its workers have, listeners or not") {
  ClusterRig rig;
  Worker& worker = rig.fork("serve");
  worker.on_listening([&](const Address&) { worker.kill(); });
  CHECK(rig.loop.run() == 0);
  CHECK(rig.events == Events{"online 1", "listening 1", "disconnect 1", "exit 1 SIGTERM"});
}

TEST_CASE("cluster: a worker that does not leave in time is ended") {
  ClusterRig rig({.disconnect_timeout = std::chrono::milliseconds(20)});
  const char* who = "deaf";
  const char* end = "exit 1 SIGTERM";
  SUBCASE("by SIGTERM") {}
  SUBCASE("by SIGKILL where it ignores that") {
    who = "stubborn";
    end = "exit 1 SIGKILL";
  }
  Worker& worker = rig.fork(who);
  worker.on_message([&](const Json&) { worker.disconnect(); });
  bool told = false;
  worker.on_exit([&](const process::Exit&) { told = worker.exited_after_disconnect(); });
  REQUIRE(rig.until(end));
  CHECK(told);
}

TEST_CASE("cluster: a worker that forks is ended, also where nothing is asserted") {
  ClusterRig rig;
  rig.fork("fork");
  REQUIRE(rig.until("exit 1 SIGABRT"));
  CHECK(rig.cluster->workers().empty());
}

TEST_CASE("cluster: a worker's Cluster may go within its own callback") {
  ClusterRig rig;
  Worker& worker = rig.fork("drop");
  worker.on_message([&](const Json&) { (void)worker.send("now"); });
  REQUIRE(rig.until("exit 1 0"));
}

// The primary of the next case: its one worker shares its standard output.
TEST_CASE("helper cluster primary" * doctest::skip()) {
  using process::Stdio;
  ClusterRig rig;
  REQUIRE(rig.cluster
              ->setup_primary({.stdio = process::StdioList{Stdio::ignore, Stdio::inherit,
                                                           Stdio::inherit, Stdio::ipc}})
              .has_value());
  rig.fork("serve");
  REQUIRE(rig.until("listening 1"));
  std::printf("port %d\n", rig.addresses[1].port);
  std::fflush(stdout);
  rig.loop.run();
}

TEST_CASE("cluster: a worker whose primary is killed answers what it has in hand, and leaves") {
  using process::Stdio;
  Loop loop;
  Child primary;
  primary.spawn(loop, "/proc/self/exe", {"--test-case=helper cluster primary", "--no-skip"},
                {.stdio = {Stdio::ignore, Stdio::pipe, Stdio::inherit}});
  primary.read();
  auto port = [&] {
    const auto at = primary.out.find("port ");
    const bool whole = at != std::string::npos && primary.out.find('\n', at) != std::string::npos;
    return whole ? std::atoi(primary.out.c_str() + at + 5) : 0;
  };
  REQUIRE(run_until(loop, [&] { return port() != 0; }));
  UniqueFd client = connect_to(static_cast<std::uint16_t>(port()));
  auto say = [&](std::string_view text) {
    REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
  };
  std::string answer;
  auto hear = [&] {
    std::array<char, 512> space{};
    const ssize_t n = ::recv(client.get(), space.data(), space.size(), MSG_DONTWAIT);
    if (n > 0) answer.append(space.data(), static_cast<std::size_t>(n));
    return answer.ends_with("worker 1");
  };
  say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(run_until(loop, hear));
  say("GET / HTTP/1.1\r\nHo");
  (void)primary->kill(SIGKILL);
  REQUIRE(run_until(loop, [&] { return primary.exit.has_value(); }));
  answer.clear();
  say("st: x\r\n\r\n");
  CHECK(run_until(loop, hear));
  CHECK(answer.find("onnection: close") != std::string::npos);
  CHECK(run_until(loop, [&] { return primary.closed; }));  // the worker has let go of its output
}

// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/accept_policy.h>

#include "base/log.h"
#include "connection_support.h"

#include <ctime>
#include <sys/resource.h>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Policy final : server::AcceptPolicy {
  bool takes_another() noexcept override {
    ++asked;
    return another;
  }
  void on_wakeup_end() noexcept override { ++wakeups; }
  void on_accept_failed() noexcept override { ++failed; }
  void on_connection_closed() noexcept override { ++closed; }
  int asked = 0, wakeups = 0, closed = 0, failed = 0;
  bool another = true;
};

}  // namespace

TEST_CASE(
    "acceptor: at most eight connections a wake-up, the policy asked before each but the first") {
  TestServer s;
  Policy policy;
  s.server->set_accept_policy(&policy);
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(s.listener.connect());
  s.turn(100ms);
  CHECK(s.server->connections() == 8);
  CHECK(policy.asked == 7);
  CHECK(policy.wakeups == 1);
  policy.another = false;
  s.turn(100ms);
  CHECK(s.server->connections() == 9);
  CHECK(policy.wakeups == 2);
  clients[0].socket.reset();
  REQUIRE(s.until([&] { return policy.closed == 1; }));
  s.server->set_accept_policy(nullptr);
}

TEST_CASE("acceptor: off, connections stay queued; on, they are taken") {
  TestServer s;
  s.server->set_accepting(false);
  Client c = s.listener.connect();
  c.send(get("/hello"));
  s.run_for(30ms);
  CHECK(s.server->connections() == 0);
  s.server->set_accepting(true);
  REQUIRE(s.until([&] { return c.read() || !c.received.empty(); }));
}

TEST_CASE("acceptor: beyond max_connections clients wait in the queue until there is room") {
  auto options = TestServer::quick();
  options.max_connections = 3;
  TestServer s(options);
  std::vector<Client> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(s.listener.connect());
    clients.back().send(get("/hello"));
  }
  s.run_for(30ms);
  CHECK(s.server->connections() == 3);
  double before = cpu_seconds();
  s.run_for(100ms);
  CHECK(cpu_seconds() - before < 0.05);  // waiting, not asking
  for (auto& c : clients) {
    REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
    CHECK_FALSE(c.over());
    CHECK(s.server->connections() <= 3);
    c.socket.reset();
  }
}

TEST_CASE(
    "acceptor: a connection that is answered at once does not count against max_connections") {
  auto options = TestServer::quick();
  options.max_connections = 1;
  TestServer s(options);
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(s.listener.connect());
    clients.back().send(get("/hello", kClose));
  }
  for (auto& c : clients) {
    REQUIRE(s.ends(c));
    CHECK(count_of(c.received, "world\n") == 1);
  }
}

TEST_CASE("acceptor: without descriptors it rests, without spinning or dropping, and recovers") {
  TestServer s;
  std::vector<Client> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(s.listener.connect());
    clients.back().send(get("/hello"));
  }
  // The undefined-behaviour sanitizer opens a pipe when it first sees a type: let it see the log's.
  log::warn("accepting without descriptors");
  rlimit old{}, none{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &old) == 0);
  none = old;
  int lowest = ::dup(0);
  ::close(lowest);
  none.rlim_cur = static_cast<rlim_t>(lowest);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  double before = cpu_seconds();
  s.run_for(300ms);
  CHECK(cpu_seconds() - before < 0.1);
  CHECK(s.counters.accepted.get() == 0);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &old) == 0);
  for (auto& c : clients) {
    REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
    CHECK_FALSE(c.over());
  }
}

TEST_CASE("acceptor: a listener that was shut down is closed, not asked for ever") {
  TestServer s;
  ::shutdown(s.listener.socket.get(), SHUT_RDWR);
  double before = cpu_seconds();
  s.run_for(200ms);
  CHECK(cpu_seconds() - before < 0.1);
  CHECK(s.handles(UV_POLL) == 0);
}

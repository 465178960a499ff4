// SPDX-License-Identifier: Apache-2.0
// The access log against what a client on a real socket counted.
#include "allocation_count.h"
#include "connection_support.h"
#include "logged.h"

#include <memory>
#include <string>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct LoggedServer : TestServer {
  explicit LoggedServer(std::string_view format, Listener on = Listener::tcp())
      : TestServer(quick(), std::move(on)), written(format, counters) {
    server->set_access_log(&written.log);
  }
  ~LoggedServer() { server.reset(); }  // before its log

  LogFile written;
};

std::uint64_t number_after(std::string_view line, std::string_view word) {
  auto at = line.find(word);
  REQUIRE(at != std::string_view::npos);
  return std::stoull(std::string(line.substr(at + word.size())));
}

}  // namespace

TEST_CASE("connection log: bytes in and out are what the client counted") {
  LoggedServer s("%I %O %B %X");
  s.make_file(3 << 20);
  Client c = s.listener.connect();
  for (const char* path : {"/hello", "/big", "/file"}) {
    CAPTURE(path);
    auto before = s.written.lines().size();
    c.received.clear();
    std::string request = get(path);
    auto whole = [&] {
      auto head = c.received.find("\r\n\r\n");
      return head != std::string::npos &&
             c.received.size() - head - 4 == number_after(c.received, "Content-Length: ");
    };
    REQUIRE(s.talk(c, request, whole));
    auto body = number_after(c.received, "Content-Length: ");
    CHECK(s.written.lines().substr(before) == std::to_string(request.size()) + " " +
                                                  std::to_string(c.received.size()) + " " +
                                                  std::to_string(body) + " +\n");
  }
}

TEST_CASE("connection log: of a large answer that ends early, what the kernel took") {
  const char* path = "";
  SUBCASE("text") { path = "/big"; }
  SUBCASE("file") { path = "/file"; }
  SUBCASE("shared bytes") { path = "/body"; }
  enum class End { reset, closed, ours };
  for (End end : {End::reset, End::closed, End::ours}) {
    CAPTURE(static_cast<int>(end));
    LoggedServer s("%s %B %X", Listener::tcp(64 * 1024));
    s.make_file(8 << 20);
    s.body = [] {
      return Response().body(std::make_shared<const std::string>(std::string(8 << 20, 's')));
    };
    Client c = s.listener.connect(256 * 1024);
    c.send(get(path));
    REQUIRE(s.until([&] { return c.read(64 * 1024), c.received.size() >= 100'000; }));
    CHECK(s.written.lines().empty());
    if (end == End::reset) c.reset();
    if (end == End::closed) c.socket.reset();
    if (end == End::ours) s.server->close_connections();
    REQUIRE(s.until([&] { return s.counters.connections.get() == 0; }));
    auto line = s.written.lines();
    CHECK(count_of(line, "\n") == 1);
    CHECK(line.ends_with(" X\n"));
    auto sent = number_after(line, "200 ");
    auto body = c.received.size() - c.received.find("\r\n\r\n") - 4;
    CHECK(sent >= body);
    CHECK(sent < (8 << 20));
    CHECK(s.counters.requests_active.get() == 0);
  }
}

TEST_CASE("connection log: the time is that until the kernel has the last byte") {
  LoggedServer s("%D");
  Client c = s.listener.connect(16 * 1024);
  c.send(get("/big"));
  s.run_for(60ms);  // nothing is read
  REQUIRE(s.until([&] { return c.read(), c.received.size() > (8 << 20); }));
  REQUIRE(s.until([&] { return !s.written.lines().empty(); }));
  CHECK(std::stoll(s.written.lines()) >= 60'000);
}

TEST_CASE("connection log: our port, or none") {
  SUBCASE("TCP") {
    LoggedServer s("%p");
    auto port = ntohs(reinterpret_cast<const sockaddr_in&>(s.listener.address).sin_port);
    Client c = s.listener.connect();
    REQUIRE(s.talk(c, get("/hello"), [&] { return c.received.ends_with("world\n"); }));
    CHECK(s.written.lines() == std::to_string(port) + "\n");
    SUBCASE("of a connection that another process accepted") {
      Client other = s.listener.connect();
      UniqueFd taken;
      s.server->set_accepting(false);
      REQUIRE(s.until([&] {
        taken.reset(::accept4(s.listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return static_cast<bool>(taken);
      }));
      REQUIRE(s.server->add_connection(std::move(taken)));
      REQUIRE(s.talk(other, get("/hello"), [&] { return other.received.ends_with("world\n"); }));
      CHECK(s.written.lines() == std::to_string(port) + "\n" + std::to_string(port) + "\n");
    }
  }
  SUBCASE("a unix socket") {
    LoggedServer s("%p %h", Listener::local());
    Client c = s.listener.connect();
    REQUIRE(s.talk(c, get("/hello"), [&] { return c.received.ends_with("world\n"); }));
    CHECK(s.written.lines() == "0 unix\n");
  }
}

TEST_CASE("connection log: a drain logs each request once, with the close that it brought") {
  LoggedServer s("%U %X");
  Client idle = s.listener.connect();
  REQUIRE(s.talk(idle, get("/hello"), [&] { return idle.received.ends_with("world\n"); }));
  Client busy = s.listener.connect(16 * 1024);
  busy.send(get("/big"));
  REQUIRE(s.until([&] { return busy.read(1000), busy.received.size() > 1000; }));
  bool closed = false;
  s.server->close([&] { closed = true; });
  s.turns(3);
  REQUIRE(s.talk(idle, get("/hello"), [&] { return idle.over(); }));
  s.server->close_connections();
  REQUIRE(s.until([&] { return closed; }));
  CHECK(s.written.lines() == "/hello +\n/hello -\n/big X\n");
}

TEST_CASE("connection log: the end of the server writes what it knows") {
  WorkerCounters counters;
  LogFile file("%U %s", counters);
  {
    TestServer s;
    s.server->set_access_log(&file.log);
    Client c = s.listener.connect(16 * 1024);
    c.send(get("/big"));
    REQUIRE(s.until([&] { return c.read(1000), c.received.size() > 1000; }));
    s.server.reset();
  }
  CHECK(file.lines() == "/big 200\n");
}

TEST_CASE("connection log: a line costs no allocation in the steady state") {
  LoggedServer s("%h %t \"%r\" %>s %B %I %O %D %X %p %{User-Agent}i %{Content-Type}o");
  Client c = s.listener.connect();
  c.received.reserve(1 << 20);
  std::string request = get("/hello", "User-Agent: someone\r\n");
  auto exchange = [&] {
    c.received.clear();
    c.send(request);
    REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
  };
  for (int i = 0; i < 50; ++i) exchange();
  auto before = allocations;
  for (int i = 0; i < 500; ++i) exchange();
  CHECK(allocations - before == 0);
  s.turns(2);
  CHECK(count_of(s.written.lines(), "\n") == 550);
}

// SPDX-License-Identifier: Apache-2.0
#include "connection_support.h"

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

SteadyClock::duration since(SteadyClock::time_point start) { return SteadyClock::now() - start; }

}  // namespace

TEST_CASE("deadline: a head that drips in gets 408 at the head's deadline, in all") {
  auto options = TestServer::quick();
  options.timeouts.head = 400ms;
  TestServer s(options);
  Client c = s.listener.connect();
  auto start = SteadyClock::now();
  c.send("GET / HTTP/1.1\r\nHost: t\r\nX: ");
  auto next = start;
  REQUIRE(s.until([&] {
    if (SteadyClock::now() > next) {
      c.send("x");
      next = SteadyClock::now() + 50ms;
    }
    return c.read();
  }));
  CHECK(c.received.starts_with("HTTP/1.1 408"));
  CHECK(since(start) >= 390ms);  // the loop's time is of whole milliseconds, and of its turn
  CHECK(since(start) - s.stalls.total() < 1500ms);
}

TEST_CASE(
    "deadline: a connection without a request is closed at the head's deadline, without a word") {
  auto options = TestServer::quick();
  options.timeouts.head = 300ms;
  TestServer s(options);
  Client c = s.listener.connect();
  auto start = SteadyClock::now();
  REQUIRE(s.ends(c));
  CHECK(c.eof);
  CHECK(c.received.empty());
  CHECK(since(start) >= 290ms);
}

TEST_CASE(
    "deadline: an idle connection is closed after the keep-alive time, counted from its last "
    "answer") {
  auto options = TestServer::quick();
  options.timeouts.keepalive = 500ms;
  int answers = 0;
  bool closed = false;
  SteadyClock::duration after{};
  without_stalls([&] {
    TestServer s(options);
    Client c = s.listener.connect();
    auto last = SteadyClock::now();
    for (int i = 1; i <= 3; ++i) {
      last = SteadyClock::now();
      s.talk(c, get("/hello"), [&] { return count_of(c.received, "hello, world") == i; });
      s.run_for(300ms);
    }
    s.ends(c);
    answers = count_of(c.received, "hello, world");
    closed = c.eof;
    after = since(last);
    return s.stalls.total();
  });
  CHECK(answers == 3);
  CHECK(closed);
  CHECK(after >= 500ms);
  CHECK(after < 1500ms);
}

TEST_CASE("deadline: a body that stops coming gets 408") {
  auto options = TestServer::quick();
  options.timeouts.body = 300ms;
  TestServer s(options);
  Client c = s.listener.connect();
  auto start = SteadyClock::now();
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n01");
  REQUIRE(s.until([&] { return c.read(); }));
  CHECK(c.received.starts_with("HTTP/1.1 408"));
  CHECK(since(start) >= 300ms);
}

TEST_CASE("deadline: a body below the least rate gets 408 although it never pauses") {
  auto options = TestServer::quick();
  options.timeouts.body_rate = 300ms;
  options.limits.body_rate = 1000;
  TestServer s(options);
  Client c = s.listener.connect();
  auto start = SteadyClock::now();
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n");
  auto next = start;
  REQUIRE(s.until([&] {
    if (SteadyClock::now() > next) {
      c.send("0123456789");  // 200 bytes a second
      next = SteadyClock::now() + 50ms;
    }
    return c.read();
  }));
  CHECK(c.received.starts_with("HTTP/1.1 408"));
  CHECK(since(start) >= 300ms);
  CHECK(since(start) - s.stalls.total() < 2000ms);
}

TEST_CASE("deadline: a body that keeps the rate is taken, however long it lasts") {
  auto options = TestServer::quick();
  options.timeouts.body_rate = 100ms;
  options.limits.body_rate = 1000;
  std::string answer;
  without_stalls([&] {
    TestServer s(options);
    Client c = s.listener.connect();
    c.send("POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n");
    for (int sent = 0; sent < 5000; sent += 250) {
      s.run_for(50ms);
      c.send(std::string(250, 'x'));
    }
    s.ends(c);
    answer = c.received;
    return s.stalls.total();
  });
  CHECK(answer.starts_with("HTTP/1.1 200"));
}

TEST_CASE("deadline: the time of a body is not that of the next one, which came with its end") {
  auto options = TestServer::quick();
  options.timeouts.body_rate = 300ms;
  options.limits.body_rate = 1000;
  std::string answers;
  without_stalls([&] {
    TestServer s(options);
    Client c = s.listener.connect();
    std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n";
    c.send(head);
    for (int sent = 0; sent < 900; sent += 50) {
      s.run_for(30ms);
      c.send(std::string(50, 'x'));
    }
    c.send(std::string(100, 'x') + head + std::string(500, 'y'));
    s.run_for(200ms);  // two ticks of the wheel
    c.send(std::string(500, 'y') + get("/hello", kClose));
    s.ends(c);
    answers = c.received;
    return s.stalls.total();
  });
  CHECK(count_of(answers, "HTTP/1.1 200") == 3);
}

TEST_CASE("deadline: a client that takes nothing of its answer is cut") {
  auto options = TestServer::quick();
  options.timeouts.write = 400ms;
  TestServer s(options, Listener::tcp(32 * 1024));
  s.make_file(32 << 20);
  for (const char* path : {"/big", "/file"}) {
    CAPTURE(path);
    Client c = s.listener.connect(32 * 1024);
    c.send(get(path));
    auto start = SteadyClock::now();
    REQUIRE(s.until([&] { return s.server->connections() == 1; }));
    REQUIRE(s.until([&] { return s.server->connections() == 0; }));
    CHECK(since(start) >= 400ms);
    CHECK(since(start) - s.stalls.total() < 2000ms);
  }
}

TEST_CASE("deadline: a slow client that goes on reading is not cut") {
  auto options = TestServer::quick();
  options.timeouts.write = 300ms;
  bool cut = true;
  without_stalls([&] {
    TestServer s(options, Listener::tcp(32 * 1024));
    Client c = s.listener.connect(8 * 1024);
    c.send(get("/big"));
    auto start = SteadyClock::now();
    while (since(start) < 1500ms) {
      c.read(4096);
      s.run_for(20ms);
    }
    cut = s.server->connections() != 1 || c.over();
    return s.stalls.total();
  });
  CHECK_FALSE(cut);
}

TEST_CASE("deadline: a lingering close ends by its time when the client does not close") {
  auto options = TestServer::quick();
  options.limits.body = 1000;
  options.timeouts.linger = 400ms;
  TestServer s(options);
  Client c = s.listener.connect();
  auto start = SteadyClock::now();
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 900000\r\n\r\n0123");
  REQUIRE(s.ends(c));
  CHECK(s.server->connections() == 1);
  REQUIRE(s.until([&] {
    c.send("more");
    c.error = 0;
    return s.server->connections() == 0;
  }));
  CHECK(since(start) >= 400ms);
  CHECK(since(start) - s.stalls.total() < 1500ms);
}

TEST_CASE("deadline: an idle server has no timer running") {
  TestServer s;
  Client c = s.listener.connect();
  c.send(get("/hello"));
  s.run_for(20ms);
  c.socket.reset();
  REQUIRE(s.until([&] { return s.server->connections() == 0; }));
  s.run_for(250ms);
  CHECK(uv_backend_timeout(s.loop.native()) == -1);
}

// SPDX-License-Identifier: Apache-2.0
#include "connection_support.h"

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("drain: answers say Connection: close, and accepting goes on") {
  TestServer s;
  Client kept = s.listener.connect();
  REQUIRE(s.talk(kept, get("/hello"), [&] { return count_of(kept.received, "world\n") == 1; }));
  CHECK(count_of(kept.received, "Connection: close") == 0);
  s.server->begin_drain();
  Client fresh = s.listener.connect();
  for (Client* c : {&kept, &fresh}) {
    c->received.clear();
    REQUIRE(s.talk(*c, get("/hello"), [&] { return c->over(); }));
    CHECK(c->eof);
    CHECK(count_of(c->received, "world\n") == 1);
    CHECK(count_of(c->received, "Connection: close") == 1);
  }
}

TEST_CASE("drain: what is queued and what is in flight is answered before the end is reported") {
  TestServer s(TestServer::quick(), Listener::tcp(32 * 1024));
  s.make_file(8 << 20);
  Client busy = s.listener.connect(32 * 1024), sending = s.listener.connect();
  busy.send(get("/file"));
  sending.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n01");
  s.run_for(20ms);
  std::vector<Client> queued;
  for (int i = 0; i < 50; ++i) {
    queued.push_back(s.listener.connect());
    queued.back().send(get("/hello"));
  }
  int reported = 0;
  s.server->close([&] { ++reported; });
  for (auto& c : queued) {
    REQUIRE(s.ends(c));
    CHECK(c.eof);
    CHECK(count_of(c.received, "world\n") == 1);
    CHECK(count_of(c.received, "Connection: close") == 1);
  }
  CHECK(reported == 0);
  sending.send("23");
  REQUIRE(s.ends(sending));
  CHECK(sending.received.ends_with("\r\n\r\n0123"));
  REQUIRE(s.ends(busy));
  CHECK(busy.received.size() > (8 << 20));
  REQUIRE(s.until([&] { return reported > 0; }));
  CHECK(reported == 1);
  CHECK(s.server->connections() == 0);
  CHECK(s.handles(UV_POLL) == 0);
}

TEST_CASE("drain: an idle connection is closed after a quiet window in which it is still served") {
  struct {
    std::size_t left = 0;  // after a part of the window
    int answers = 0;
    bool late_closed = false, idle_closed = false, silent_closed = false, drained_early = false;
    SteadyClock::duration idle_after{}, drained_after{};
  } seen;
  without_stalls([&] {
    TestServer s;
    Client idle = s.listener.connect(), late = s.listener.connect(), silent = s.listener.connect();
    for (Client* c : {&idle, &late}) {
      s.talk(*c, get("/hello"), [&] { return count_of(c->received, "world\n") == 1; });
    }
    auto start = SteadyClock::now();
    bool drained = false;
    s.server->close([&] { drained = true; });
    s.run_for(100ms);
    seen.left = s.server->connections();
    s.talk(late, get("/hello"), [&] { return late.over(); });
    seen.answers = count_of(late.received, "world\n");
    seen.late_closed = late.eof;
    late.socket.reset();
    s.ends(idle);
    seen.idle_closed = idle.eof;
    seen.idle_after = SteadyClock::now() - start;
    seen.silent_closed = silent.read();
    seen.drained_early = drained;
    s.until([&] { return drained; });
    seen.drained_after = SteadyClock::now() - start;
    return s.stalls.total();
  });
  CHECK(seen.left == 3);
  CHECK(seen.answers == 2);
  CHECK(seen.late_closed);
  CHECK(seen.idle_closed);
  CHECK(seen.idle_after >= 250ms);
  CHECK(seen.idle_after < 900ms);
  CHECK_FALSE(seen.silent_closed);  // it may have only just connected: it has longer
  CHECK_FALSE(seen.drained_early);
  CHECK(seen.drained_after < 1800ms);
}

TEST_CASE("drain: a full server takes what is queued as places become free") {
  auto options = TestServer::quick();
  options.max_connections = 2;
  TestServer s(options);
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(s.listener.connect());
    clients.back().send("GET /hello HTTP/1.1\r\n");
  }
  s.run_for(10ms);
  CHECK(s.server->connections() == 2);
  bool drained = false;
  s.server->close([&] { drained = true; });
  for (auto& c : clients) c.send("Host: t\r\n\r\n");
  for (auto& c : clients) {
    REQUIRE(s.ends(c));
    CHECK(count_of(c.received, "world\n") == 1);
    c.socket.reset();  // or its place would be free only after the lingering close
  }
  REQUIRE(s.until([&] { return drained; }));
}

TEST_CASE("drain: without connections the end is reported in a later turn, once") {
  TestServer s;
  int reported = 0;
  s.server->close([&] { ++reported; });
  CHECK(reported == 0);
  REQUIRE(s.until([&] { return reported > 0; }));
  s.turns(5);
  CHECK(reported == 1);
}

TEST_CASE("drain: the server may be destroyed when its end is reported") {
  TestServer s;
  Client c = s.listener.connect();
  s.run_for(10ms);
  s.server->close([&] { s.server.reset(); });
  REQUIRE(s.until([&] { return !s.server.has_value(); }));
  CHECK(s.ends(c));
}

TEST_CASE("drain: a handler may close the listeners") {
  TestServer s;
  bool drained = false;
  s.action = [&] { s.server->close([&] { drained = true; }); };
  Client queued = s.listener.connect(), c = s.listener.connect();
  s.run_for(10ms);
  c.send(get("/act"));
  queued.send(get("/hello"));
  REQUIRE(s.until([&] { return drained; }));
  c.read(), queued.read();
  CHECK(c.received.ends_with("done\n"));
  CHECK(queued.received.ends_with("world\n"));
}

TEST_CASE("drain: close_connections cuts what is left and the end is reported") {
  TestServer s;
  Client c = s.listener.connect();
  s.run_for(10ms);
  bool drained = false;
  s.server->close([&] { drained = true; });
  s.server->close_connections();
  CHECK(s.server->connections() == 0);
  REQUIRE(s.until([&] { return drained; }));
  CHECK(s.ends(c));
}

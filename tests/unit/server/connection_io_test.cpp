// SPDX-License-Identifier: Apache-2.0
#include "connection_support.h"

#include <malloc.h>
#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("connection: pipelined requests on a socket are answered in order") {
  TestServer s;
  Client c = s.listener.connect();
  std::string all;
  for (int i = 0; i < 200; ++i) all += get(i % 2 == 0 ? "/hello" : "/peer");
  REQUIRE(s.talk(c, all, [&] { return count_of(c.received, "HTTP/1.1 200") == 200; }));
  CHECK(count_of(c.received, "hello, world\n") == 100);
  CHECK(count_of(c.received, "127.0.0.1") == 100);
  CHECK(c.received.find("hello, world\n") < c.received.find("127.0.0.1"));
  CHECK_FALSE(c.over());
  CHECK(s.counters.requests.get() == 200);
  CHECK(s.counters.bytes_in.get() == all.size());
  CHECK(s.counters.bytes_out.get() == c.received.size());
}

TEST_CASE("connection: a request in pieces is answered when it is whole") {
  TestServer s;
  Client c = s.listener.connect();
  std::string request = get("/hello");
  for (char byte : request) {
    CHECK(c.received.empty());
    REQUIRE(c.send({&byte, 1}) == 1);
    s.turn(5ms);
    c.read();
  }
  REQUIRE(s.until([&] { return c.read() || count_of(c.received, "hello, world") == 1; }));
}

TEST_CASE("connection: a client that has closed its side gets the whole answer") {
  TestServer s;
  s.make_file(5'000'000);
  for (const char* path : {"/hello", "/big", "/file"}) {
    CAPTURE(path);
    Client c = s.listener.connect();
    c.send(get(path));
    c.finish_sending();
    s.run_for(50ms);  // the server sees the FIN while its answer waits for us
    REQUIRE(s.ends(c));
    CHECK(c.error == 0);
    CHECK(c.received.starts_with("HTTP/1.1 200"));
    if (path == std::string_view("/big")) CHECK(c.received.ends_with(std::string(8 << 20, 'b')));
    if (path == std::string_view("/file")) CHECK(c.received.size() > 5'000'000);
    REQUIRE(s.until([&] { return s.server->connections() == 0; }));
  }
}

TEST_CASE("connection: one request and Connection: close needs no handle of the loop") {
  TestServer s;
  Client c = s.listener.connect();
  c.send(get("/hello", kClose));
  s.turn(100ms);
  CHECK(s.counters.accepted.get() == 1);
  CHECK(s.server->connections() == 0);
  CHECK(s.handles(UV_TCP) == 0);
  REQUIRE(s.ends(c));
  CHECK(c.error == 0);
  CHECK(count_of(c.received, "hello, world") == 1);
}

TEST_CASE("connection: a connection that says nothing at first is served when it does") {
  TestServer s;
  Client c = s.listener.connect();
  s.run_for(20ms);
  CHECK(s.server->connections() == 1);
  REQUIRE(s.talk(c, get("/hello"), [&] { return count_of(c.received, "hello, world") == 1; }));
}

TEST_CASE("connection: a unix socket's peer is called unix") {
  TestServer s(TestServer::quick(), Listener::local());
  Client c = s.listener.connect();
  REQUIRE(s.talk(c, get("/peer", kClose), [&] { return c.over(); }));
  CHECK(c.received.ends_with("\r\n\r\nunix"));
}

TEST_CASE("connection: a client that does not read a large file costs little memory") {
  TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
  s.make_file(64 << 20);
  char mark[] = "the end of the file";
  REQUIRE(::pwrite(s.file.get(), mark, sizeof mark - 1, (64 << 20) - 19) == 19);
  Client c = s.listener.connect(64 * 1024);
  s.turns(3);
  auto before = ::mallinfo2().uordblks;
  c.send(get("/file") + get("/hello"));
  s.run_for(50ms);
  auto held = ::mallinfo2().uordblks - before;
  CHECK(s.counters.bytes_out.get() < (8 << 20));
  CHECK(held < 300'000);
  c.received.reserve((64 << 20) + 4096);
  REQUIRE(s.until([&] {
    return c.read() || count_of(std::string_view(c.received).substr(c.received.size() - 13),
                                "hello, world\n") == 1;
  }));
  CHECK(count_of(c.received, mark) == 1);
  CHECK(c.received.size() > (64 << 20));
}

TEST_CASE("connection: a client that asks and does not read is not read from for ever") {
  auto options = TestServer::quick();
  options.limits.write_buffer = 64 * 1024;
  TestServer s(options, Listener::tcp(16 * 1024));
  Client c = s.listener.connect(16 * 1024);
  std::string request = get("/hello");
  std::size_t sent = 0, at = 0;
  auto limit = SteadyClock::now() + 8s;
  for (auto quiet_since = SteadyClock::now(); SteadyClock::now() < limit;) {
    std::size_t n = c.send(std::string_view(request).substr(at));
    at = (at + n) % request.size();
    sent += n;
    if (n > 0) quiet_since = SteadyClock::now();
    if (SteadyClock::now() - quiet_since > 200ms) break;
    s.turn();
  }
  REQUIRE(SteadyClock::now() < limit);  // back-pressure reached us
  c.finish_sending();
  REQUIRE(s.ends(c));
  CHECK(count_of(c.received, "hello, world\n") == static_cast<int>(sent / request.size()));
}

TEST_CASE("connection: a file that shrinks while it is sent ends the connection, never padded") {
  TestServer s(TestServer::quick(), Listener::tcp(64 * 1024));
  s.make_file(16 << 20);
  Client c = s.listener.connect(64 * 1024);
  c.send(get("/file") + get("/hello"));
  s.run_for(20ms);
  REQUIRE(::ftruncate(s.file.get(), 4 << 20) == 0);
  REQUIRE(s.ends(c));
  CHECK(c.received.size() <= (4 << 20) + 4096);
  CHECK(count_of(c.received, "hello, world") == 0);
  CHECK(s.server->connections() == 0);
}

TEST_CASE("connection: a large file does not keep other clients waiting") {
  TestServer s(TestServer::quick(), Listener::local());
  s.make_file(256 << 20);
  Client big = s.listener.connect();
  Client small = s.listener.connect();
  int most = 8 << 20;
  ::setsockopt(big.socket.get(), SOL_SOCKET, SO_RCVBUF, &most, sizeof most);
  big.send(get("/file"));
  s.turns(4);
  auto before = s.counters.bytes_out.get();
  small.send(get("/hello"));
  s.turns(2);
  CHECK(s.counters.bytes_out.get() - before < (5 << 20));
  small.read();
  CHECK(count_of(small.received, "hello, world") == 1);
}

TEST_CASE("connection: an early 413 reaches a client that sends on") {
  auto options = TestServer::quick();
  options.limits.body = 1000;
  TestServer s(options);
  Client c = s.listener.connect();
  std::string request = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 900000\r\n\r\n";
  request += std::string(900'000, 'x');
  std::string_view rest = request;
  // Sends all of it before it reads a byte.
  REQUIRE(s.until([&] {
    rest.remove_prefix(c.send(rest));
    return rest.empty() || c.error != 0;
  }));
  CHECK(c.error == 0);
  c.finish_sending();
  REQUIRE(s.ends(c));
  CHECK(c.received.starts_with("HTTP/1.1 413"));
  CHECK(count_of(c.received, "HTTP/1.1") == 1);
}

TEST_CASE("connection: a lingering close ends with the client's FIN") {
  auto options = TestServer::quick();
  options.limits.body = 1000;
  TestServer s(options);
  Client c = s.listener.connect();
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 900000\r\n\r\n0123");
  REQUIRE(s.until([&] { return c.read(); }));  // our answer and FIN
  CHECK(c.eof);
  CHECK(s.server->connections() == 1);
  c.socket.reset();
  REQUIRE(s.until([&] { return s.server->connections() == 0; }));
}

TEST_CASE("connection: clients that leave at any moment harm nobody") {
  auto options = TestServer::quick();
  options.limits.body = 1000;
  TestServer s(options, Listener::tcp(32 * 1024));
  s.make_file(4 << 20);
  std::string post = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 500\r\n\r\n0123";
  std::string too_much = "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 90000\r\n\r\n0123";
  const std::string scripts[] = {"",
                                 "GET /hel",
                                 get("/hello"),
                                 get("/hello", kClose),
                                 post,
                                 get("/big"),
                                 get("/file"),
                                 too_much,
                                 get("/file") + get("/big") + get("/hello"),
                                 "\r\n\r\n",
                                 "nonsense\r\n\r\n",
                                 get("/hello") + "GE"};
  for (const auto& script : scripts) {
    for (int turns_before = 0; turns_before < 4; ++turns_before) {
      for (int how = 0; how < 3; ++how) {
        Client c = s.listener.connect(16 * 1024);
        c.send(script);
        s.turns(turns_before);
        if (how == 0) c.reset();
        if (how == 1) c.socket.reset();
        if (how == 2) c.finish_sending();
        s.turns(2);
        c.read(100'000);
        if (how == 2 && c.socket.get() >= 0) c.reset();
      }
    }
  }
  REQUIRE(s.until([&] { return s.server->connections() == 0; }));
  Client c = s.listener.connect();
  REQUIRE(s.talk(c, get("/hello", kClose), [&] { return c.over(); }));
  CHECK(count_of(c.received, "hello, world") == 1);
}

TEST_CASE("server: its end closes every connection, and the loop ends clean") {
  TestServer s;
  s.make_file(16 << 20);
  Client idle = s.listener.connect(), busy = s.listener.connect(), half = s.listener.connect();
  busy.send(get("/file"));
  half.send("GET /he");
  s.run_for(20ms);
  CHECK(s.server->connections() == 3);
  s.server.reset();
  CHECK(s.counters.connections.get() == 0);
  REQUIRE(s.until([&] { return idle.read() && half.read() && busy.read(); }));
}

TEST_CASE("server: a handler may cut all connections, its own included") {
  TestServer s;
  s.action = [&] { s.server->close_connections(); };
  Client a = s.listener.connect(), b = s.listener.connect();
  s.run_for(10ms);
  a.send(get("/act"));
  REQUIRE(s.until([&] { return a.read() && b.read(); }));
  CHECK(s.server->connections() == 0);
}

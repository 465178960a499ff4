// SPDX-License-Identifier: Apache-2.0
// Handlers that answer later, over real sockets.
#include <pronghorn/base/uv/offload.h>
#include <pronghorn/base/uv/timer.h>

#include "connection_support.h"

#include <memory>
#include <optional>
#include <string>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct Left {
  std::optional<ResponseWriter> writer;
  int closed = 0;
  /// A handler that keeps its writer.
  auto handler() {
    return [this](const Request&, ResponseWriter w) {
      w.on_close([this] { ++closed; });
      writer.emplace(std::move(w));
    };
  }
};

}  // namespace

TEST_CASE("later: an answer from a timer, and pipelined requests behind it, in order") {
  TestServer s;
  uv::Timer timer(s.loop, [] {});
  s.server->get("/later", [&](const Request&, ResponseWriter w) {
    timer = uv::Timer(s.loop, [writer = std::make_shared<ResponseWriter>(std::move(w))] {
      CHECK(writer->respond(Response::text("later\n")));
    });
    timer.start(20ms);
  });
  Client c = s.listener.connect();
  c.send(get("/later") + get("/hello"));
  REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
  CHECK(c.received.find("later\n") < c.received.find("world\n"));
  c.send(get("/hello"));
  CHECK(s.until([&] { return c.read() || count_of(c.received, "world\n") == 2; }));
  CHECK_FALSE(c.over());
}

TEST_CASE("later: a client that resets is told to the handler that waits for it") {
  TestServer s;
  Left left;
  s.server->get("/left", left.handler());
  Client c = s.listener.connect();
  c.send(get("/left"));
  REQUIRE(s.until([&] { return left.writer.has_value(); }));
  c.reset();
  CHECK(s.until([&] { return left.closed == 1; }));
  CHECK(left.writer->is_gone());
  CHECK_FALSE(left.writer->respond(Response()));
  CHECK(s.server->connections() == 0);
}

TEST_CASE("later: a half-closed client still gets its answer") {
  TestServer s;
  Left left;
  s.server->get("/left", left.handler());
  Client c = s.listener.connect();
  c.send(get("/left"));
  c.finish_sending();
  REQUIRE(s.until([&] { return left.writer.has_value(); }));
  s.run_for(30ms);
  CHECK(left.writer->respond(Response::text("patience\n")));
  CHECK(s.ends(c));
  CHECK(count_of(c.received, "patience\n") == 1);
  CHECK(left.closed == 0);
}

TEST_CASE("later: a handler that never answers is cut short by timeouts.handler with 503") {
  auto options = TestServer::quick();
  options.timeouts.handler = 200ms;
  TestServer s(options);
  Left left;
  s.server->get("/left", left.handler());
  s.server->get("/quiet", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response()));  // has begun: it may be quiet
    left.writer.emplace(std::move(w));
  });
  Client c = s.listener.connect();
  c.send(get("/left"));
  CHECK(s.ends(c));
  CHECK(c.received.starts_with("HTTP/1.1 503 "));
  CHECK(left.closed == 1);
  Client quiet = s.listener.connect();
  quiet.send(get("/quiet"));
  s.run_for(500ms);
  CHECK_FALSE(quiet.read());
  CHECK(left.writer->end());
  CHECK(s.until([&] { return quiet.read() || quiet.received.ends_with("0\r\n\r\n"); }));
}

TEST_CASE("later: pieces reach the client while the answer goes on, with back-pressure") {
  TestServer s(TestServer::quick(), Listener::tcp(16 * 1024));
  Left left;
  std::uint64_t written = 0;
  int fulls = 0;
  auto fill = [&] {
    std::string piece(64 * 1024, 'p');
    while (written < (16u << 20)) {
      written += piece.size();
      auto more = left.writer->write(piece);
      REQUIRE(more);
      if (!*more) return void(++fulls);
    }
    CHECK(left.writer->end());
  };
  s.server->get("/pieces", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response(), 16 << 20));
    w.on_drain([&] { fill(); });
    left.writer.emplace(std::move(w));
    fill();
  });
  Client c = s.listener.connect(16 * 1024);
  c.send(get("/pieces"));
  s.run_for(50ms);
  CHECK(written < (2u << 20));  // it waits for the client
  REQUIRE(s.until([&] { return c.read() || c.received.size() > (16u << 20); }));
  CHECK(c.received.size() - c.received.find("\r\n\r\n") - 4 == 16u << 20);
  CHECK(fulls > 5);
  c.received.clear();
  c.send(get("/hello"));
  CHECK(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
}

TEST_CASE("later: a client that takes nothing of a streamed answer is cut by timeouts.write") {
  auto options = TestServer::quick();
  options.timeouts.write = 200ms;
  options.limits.body_rate = 0;
  TestServer s(options, Listener::tcp(16 * 1024));
  Left left;
  s.server->get("/pieces", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response()));
    w.on_close([&] { ++left.closed; });
    CHECK_FALSE(w.write(std::string(4 << 20, 'p')).value());
    left.writer.emplace(std::move(w));
  });
  Client c = s.listener.connect(16 * 1024);
  c.send(get("/pieces"));
  CHECK(s.until([&] { return left.closed == 1; }));
  CHECK(s.server->connections() == 0);
}

TEST_CASE("later: an answer that is dropped within ends so that the client sees it") {
  TestServer s;
  Left left;
  s.server->get("/drop", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response()));
    CHECK(w.write("part"));
    left.writer.emplace(std::move(w));
  });
  for (const char* version : {"1.1", "1.0"}) {
    Client c = s.listener.connect();
    c.send("GET /drop HTTP/" + std::string(version) + "\r\nHost: x\r\n\r\n");
    REQUIRE(s.until([&] { return c.read() || c.received.contains("part"); }));
    left.writer.reset();
    CHECK(s.ends(c));
    if (version == std::string("1.0")) {
      CHECK(c.error == ECONNRESET);  // a FIN would be its end
    } else {
      CHECK_FALSE(c.received.contains("0\r\n\r\n"));
    }
  }
}

TEST_CASE("later: close() waits for answers that are pending, and tells those without an end") {
  TestServer s;
  Left left, stream;
  int told = 0;
  s.server->get("/left", left.handler());
  s.server->get("/events", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response().type("text/event-stream")));
    w.on_shutdown([&] {
      ++told;
      CHECK(stream.writer->end());
    });
    stream.writer.emplace(std::move(w));
  });
  Client a = s.listener.connect(), b = s.listener.connect();
  a.send(get("/left"));
  b.send(get("/events"));
  REQUIRE(s.until([&] { return left.writer && stream.writer; }));
  bool closed = false;
  s.server->close([&] { closed = true; });
  CHECK(s.ends(b));
  CHECK(told == 1);
  CHECK(b.received.ends_with("0\r\n\r\n"));
  s.run_for(1500ms);  // longer than the quiet windows of idle connections
  CHECK_FALSE(closed);
  CHECK(left.writer->respond(Response::text("at last\n")));
  CHECK(s.ends(a));
  CHECK(a.received.contains("Connection: close\r\n"));
  CHECK(a.received.ends_with("at last\n"));
  CHECK(s.until([&] { return closed; }));
}

TEST_CASE("later: a server that goes takes its waiting coroutines along, and writers survive it") {
  TestServer s;
  Left left;
  auto witness = std::make_shared<int>(0);
  s.server->get("/left", left.handler());
  s.server->get("/wait", [&, witness](const Request&) -> Task<Response> {
    auto kept = witness;
    auto work = [] { return 1; };
    int value = co_await offload(s.loop, work);
    co_return Response::text(std::to_string(value + *kept));
  });
  Client a = s.listener.connect(), b = s.listener.connect();
  a.send(get("/left"));
  b.send(get("/wait"));
  REQUIRE(s.until([&] { return left.writer.has_value(); }));
  s.server.reset();
  CHECK(witness.use_count() == 1);
  CHECK(left.writer->is_gone());
  s.turns(3);
  CHECK(left.closed == 0);
  left.writer.reset();
}

TEST_CASE("later: work of the pool answers, its exception is a 500, a full queue a 503") {
  auto options = TestServer::quick();
  options.limits.offload_queue = 1;
  TestServer s(options);
  s.server->get("/work/:what", [&](const Request& q) -> Task<Response> {
    auto work = [what = std::string(q.param("what"))] {
      if (what == "throw") throw std::runtime_error("no");
      return what + "\n";
    };
    std::string text = co_await offload(s.loop, std::move(work));
    co_return Response::text(text);
  });
  Client c = s.listener.connect();
  c.send(get("/work/well") + get("/work/throw") + get("/hello"));
  REQUIRE(s.until([&] { return c.read() || count_of(c.received, "world\n") == 1; }));
  CHECK(count_of(c.received, "well\n") == 1);
  CHECK(count_of(c.received, "HTTP/1.1 500 ") == 1);
  Client a = s.listener.connect(), b = s.listener.connect();
  a.send(get("/work/one", kClose));
  b.send(get("/work/two", kClose));
  CHECK(s.ends(a));
  CHECK(s.ends(b));
  CHECK(count_of(a.received + b.received, "HTTP/1.1 200 ") +
            count_of(a.received + b.received, "HTTP/1.1 503 ") ==
        2);
}

TEST_CASE("later: a taken over connection is read no faster than its handler wants") {
  TestServer s;
  std::optional<UpgradedStream> raw;
  std::uint64_t got = 0;
  int closed = 0;
  s.server->get("/raw", [&](const Request&, ResponseWriter w) {
    raw = std::move(w.upgrade(Response().header("Upgrade", "raw")).value());
    raw->on_data([&](std::string_view bytes) {
      got += bytes.size();
      raw->pause();
    });
    raw->on_close([&] { ++closed; });
  });
  Client c = s.listener.connect();
  c.send(get("/raw", "Connection: upgrade\r\nUpgrade: raw\r\n") + "first");
  REQUIRE(s.until([&] { return c.read() || c.received.ends_with("\r\n\r\n"); }));
  CHECK(c.received.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(got == 5);
  c.send(std::string(1 << 16, 'x'));
  s.run_for(30ms);
  CHECK(got == 5);
  raw->resume();
  CHECK(s.until([&] { return got > 5; }));
  CHECK(raw->write("bye"));
  raw->end();
  CHECK(s.until([&] { return c.read() || c.received.ends_with("bye"); }));
  c.finish_sending();
  CHECK(s.ends(c));
  CHECK(s.until([&] { return closed == 1; }));
}

TEST_CASE("later: an upload is read no faster than its handler wants, and answered") {
  TestServer s;
  std::optional<BodyStream> body;
  std::optional<ResponseWriter> writer;
  std::uint64_t got = 0;
  s.server->post("/up", RouteOptions{.body_limit = 64 << 20, .stream_body = true},
                 [&](const Request& q, ResponseWriter w) {
                   body = q.body_stream();
                   writer.emplace(std::move(w));
                 });
  Client c = s.listener.connect();
  std::string piece(1 << 20, 'u');
  c.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n");
  std::size_t sent = c.send(piece);
  REQUIRE(s.until([&] { return body.has_value(); }));
  for (int i = 0; i < 40; ++i) {
    sent += c.send(piece);
    s.turn();
  }
  CHECK(sent < 32u << 20);  // the kernel's buffers are full
  body->on_data([&](std::string_view bytes) { got += bytes.size(); });
  body->on_end([&] { CHECK(writer->respond(Response::text(std::to_string(got) + "\n"))); });
  REQUIRE(s.until([&] {
    if (sent < (32u << 20)) {
      sent += c.send(std::string_view(piece).substr(0, (32u << 20) - sent));
    }
    return c.read() || c.received.ends_with("33554432\n");
  }));
  CHECK(got == 32u << 20);
}

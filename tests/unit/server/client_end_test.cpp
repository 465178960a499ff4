// SPDX-License-Identifier: Apache-2.0
// A client that leaves while its answer is quiet, over real sockets.
#include <pronghorn/server/event_stream.h>

#include "connection_support.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

/// /wait keeps its writer; /events is a stream. What they hear of the client's leaving.
struct Quiet : TestServer {
  explicit Quiet(Listener on = Listener::tcp()) : TestServer(quick(), std::move(on)) {
    server->get("/wait", [this](const Request&, ResponseWriter w) {
      w.on_close([this] { ++closed; });
      if (listens) w.on_client_end([this] { ++ended; });
      writers.push_back(std::move(w));
    });
    server->get("/events", [this](const Request& q, ResponseWriter w) {
      auto stream = EventStream::start(q, std::move(w), {.keep_alive = 0ms});
      REQUIRE(stream);
      stream->on_close([this] { ++closed; });
      streams.push_back(*stream);
    });
  }
  Client ask(std::string_view bytes, std::size_t handlers = 1) {
    Client c = listener.connect();
    auto known = writers.size() + streams.size();
    c.send(bytes);
    REQUIRE(until([&] { return writers.size() + streams.size() == known + handlers; }));
    return c;
  }

  bool listens = true;
  int closed = 0, ended = 0;
  std::vector<ResponseWriter> writers;
  std::vector<EventStream> streams;
};

}  // namespace

TEST_CASE("client end: an event stream that is quiet hears at once of a client that leaves") {
  Quiet s;
  Client c = s.ask(get("/events"));
  REQUIRE(s.until([&] { return c.read() || c.received.ends_with("\r\n\r\n"); }));
  c.finish_sending();
  auto since = SteadyClock::now();
  REQUIRE(s.until([&] { return s.closed == 1; }));
  CHECK(SteadyClock::now() - since < 900ms);  // nothing waits for the next look
  CHECK_FALSE(s.streams.front().is_open());
  // One that only ended its side has a whole body.
  CHECK(s.ends(c));
  CHECK(c.received.ends_with("0\r\n\r\n"));
  CHECK(c.error == 0);
  CHECK(s.until([&] { return s.server->connections() == 0; }));
}

TEST_CASE("client end: a writer is told, and its answer still goes out") {
  Quiet s;
  Client c = s.ask(get("/wait"));
  c.finish_sending();
  REQUIRE(s.until([&] { return s.ended == 1; }));
  CHECK_FALSE(s.writers.front().is_gone());
  s.run_for(20ms);
  CHECK(s.ended == 1);
  CHECK(s.writers.front().respond(Response::text("patience\n")));
  CHECK(s.ends(c));
  CHECK(count_of(c.received, "patience\n") == 1);
  CHECK(s.closed == 0);
}

TEST_CASE("client end: who listens later is told of what was before") {
  Quiet s;
  s.listens = false;
  Client c = s.ask(get("/wait"));
  c.finish_sending();
  s.run_for(20ms);
  CHECK(s.ended == 0);
  s.writers.front().on_client_end([&] {
    ++s.ended;
    CHECK(s.writers.front().respond(Response::text("bye\n")));
  });
  CHECK(s.ends(c));
  CHECK(s.ended == 1);
  CHECK(count_of(c.received, "bye\n") == 1);
  CHECK(s.until([&] { return s.server->connections() == 0; }));
}

TEST_CASE("client end: a stream that takes the connection over is told anew") {
  Quiet s;
  int told = 0;
  std::optional<UpgradedStream> raw;
  std::optional<ResponseWriter> writer;
  s.server->get("/up", [&](const Request&, ResponseWriter w) {
    writer.emplace(std::move(w));
    writer->on_client_end([&] {
      ++s.ended;
      auto taken = writer->upgrade(Response().header("Upgrade", "x"));
      REQUIRE(taken);
      raw.emplace(std::move(*taken));
      raw->on_data([](std::string_view) {});
      raw->on_end([&] {
        ++told;
        raw->end();
      });
    });
  });
  Client c = s.listener.connect();
  c.send(get("/up", "Connection: upgrade\r\nUpgrade: x\r\n"));
  c.finish_sending();
  CHECK(s.ends(c));
  CHECK(s.ended == 1);
  CHECK(told == 1);
  CHECK(c.received.starts_with("HTTP/1.1 101 "));
}

// All wait for the same second.
TEST_CASE("client end: one of whom nothing is read is looked for") {
  Quiet tcp;
  Quiet local(Listener::local());
  tcp.listens = false;
  Client behind = tcp.ask(get("/wait") + get("/hello"));  // held back: reading stops
  Client halved = tcp.ask(get("/wait"));
  halved.finish_sending();
  Client pipelined = tcp.ask(get("/events") + get("/hello"));
  Client patient = tcp.ask(get("/wait"));
  patient.finish_sending();
  Client neighbour = local.ask(get("/wait"));
  neighbour.finish_sending();
  REQUIRE(local.until([&] { return local.ended == 1; }));
  tcp.run_for(50ms);
  CHECK(tcp.closed == 0);
  behind.reset();
  halved.reset();
  pipelined.finish_sending();
  neighbour.socket.reset();
  CHECK(tcp.until([&] { return tcp.closed == 3; }));
  CHECK(local.until([&] { return local.closed == 1; }));
  CHECK(tcp.writers[0].is_gone());
  CHECK(tcp.writers[1].is_gone());
  CHECK(tcp.ends(pipelined));  // what it asked for behind the stream is answered
  CHECK(count_of(pipelined.received, "world\n") == 1);
  CHECK_FALSE(tcp.writers[2].is_gone());
  CHECK(tcp.writers[2].respond(Response::text("patience\n")));
  CHECK(tcp.ends(patient));
  CHECK(count_of(patient.received, "patience\n") == 1);
}

TEST_CASE("client end: one that is held back and does not listen still has its time") {
  auto options = TestServer::quick();
  options.timeouts.handler = 1300ms;  // beyond the first look
  TestServer s(options);
  std::optional<ResponseWriter> kept;
  s.server->get("/wait", [&](const Request&, ResponseWriter w) { kept.emplace(std::move(w)); });
  Client c = s.listener.connect();
  c.send(get("/wait") + get("/hello"));
  c.finish_sending();
  CHECK(s.ends(c));
  CHECK(c.received.starts_with("HTTP/1.1 503 "));
}

// SPDX-License-Identifier: Apache-2.0
// WebSocket and EventStream over a real server: who is told what, and who may be gone.
#include <pronghorn/server/event_stream.h>
#include <pronghorn/server/websocket.h>

#include "tests/unit/server/listen_support.h"
#include "tests/unit/server/websocket_frames.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

struct Client {
  Client(Loop& l, const Address& to) : loop(l), fd(connect_to(to)) { REQUIRE(fd); }
  void send(std::string_view bytes) const {
    REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void read() {
    char space[4096];
    ssize_t n = 0;
    while ((n = ::recv(fd.get(), space, sizeof space, MSG_DONTWAIT)) > 0) {
      in.append(space, static_cast<std::size_t>(n));
    }
    over = over || n == 0 || errno == ECONNRESET;
  }
  /// Turns the loop until `what` came.
  void hears(std::string_view what) {
    CHECK_MESSAGE(run_until(loop, [&] { return read(), in.contains(what); }),
                  "waited for '" << what << "' in '" << in << "'");
  }
  bool ends() {
    return run_until(loop, [&] { return read(), over; });
  }
  /// What came behind the head of the answer.
  std::string frames() const { return shown(in.substr(in.find("\r\n\r\n") + 4)); }

  Loop& loop;
  UniqueFd fd;
  std::string in;
  bool over = false;
};

constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A server with one route for WebSocket, and the last connection that it got.
struct Rig {
  explicit Rig(const WebSocketOptions& options = {}) {
    server.get("/ws", websocket(options, [this](WebSocket one, const Request&) {
                 ws = one;
                 one.on_close([this](std::uint16_t code, std::string_view reason) {
                   closed += std::to_string(code) + " " + std::string(reason) + ";";
                 });
                 if (connected) connected(one);
               }));
    server.on_listening([this](const Address& a) { address = a; });
    REQUIRE(server.listen("127.0.0.1:0"));
    REQUIRE(run_until(loop, [&] { return address.has_value(); }));
  }
  Client connect() {
    Client client(loop, *address);
    client.send(kHandshake);
    client.hears("\r\n\r\n");
    CHECK(client.in.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
    CHECK(client.in.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    return client;
  }
  bool is_closed() {
    return run_until(loop, [&] { return !closed.empty(); });
  }

  Loop loop;
  Server server{loop};
  std::optional<Address> address;
  std::optional<WebSocket> ws;
  std::function<void(WebSocket)> connected;
  std::string closed;
};

}  // namespace

TEST_CASE("websocket: messages both ways, and the client's end") {
  Rig rig;
  rig.connected = [](WebSocket one) {
    REQUIRE(one.send("welcome"));
    one.on_message([one](std::string_view data, bool) mutable {
      CHECK(one.send("re " + std::string(data)).value());
    });
  };
  Client client = rig.connect();
  client.send(frame(kText, "a") + frame(kPing, "p") + frame(kText, "b"));
  client.hears("re b");
  client.send(close_frame(1000, "done"));
  CHECK(client.ends());
  CHECK(client.frames() == "t:welcome t:re a pong:p t:re b close:1000 ");
  CHECK(rig.closed == "1000 done;");
  auto late = rig.ws->send("late");
  REQUIRE_FALSE(late);
  CHECK(late.error().errno_value() == EPIPE);
  CHECK_FALSE(rig.ws->is_open());
  rig.ws->destroy();  // harmless
}

TEST_CASE("websocket: it may be let go of, closed or destroyed in its own callbacks") {
  Rig rig;
  SUBCASE("destroyed in on_message") {
    rig.connected = [](WebSocket one) {
      one.on_message([one](std::string_view, bool) mutable {
        one.destroy();
        CHECK_FALSE(one.send("x"));
      });
    };
    Client client = rig.connect();
    rig.ws.reset();
    client.send(frame(kText, "a") + frame(kText, "b"));
    CHECK(client.ends());
    CHECK(rig.is_closed());
    CHECK(rig.closed == "1006 connection lost;");
  }
  SUBCASE("destroyed before anything is read") {
    rig.connected = [](WebSocket one) { one.destroy(); };
    Client client(rig.loop, *rig.address);
    client.send(kHandshake);
    CHECK(client.ends());
    CHECK(rig.is_closed());
  }
  SUBCASE("listeners replaced while they run") {
    rig.connected = [](WebSocket one) {
      one.on_message([one](std::string_view, bool) mutable {
        one.on_message([one](std::string_view data, bool) mutable {
          CHECK(one.send(data));
          CHECK(one.close(4000));
        });
      });
    };
    Client client = rig.connect();
    client.send(frame(kText, "a") + frame(kText, "b") + frame(kText, "c"));
    client.hears("\x0f\xa0");
    client.send(close_frame(4000));
    CHECK(client.ends());
    CHECK(client.frames() == "t:b close:4000 ");
    CHECK(rig.closed == "4000 ;");
  }
}

TEST_CASE("websocket: a callback that throws ends its connection with 1011") {
  Rig rig;
  rig.connected = [](WebSocket one) {
    one.on_message([](std::string_view, bool) { throw std::runtime_error("oh"); });
  };
  Client client = rig.connect();
  client.send(frame(kText, "a") + close_frame(1011));
  CHECK(client.ends());
  CHECK(client.frames() == "close:1011 ");
}

TEST_CASE("websocket: a client that leaves without a Close is 1006") {
  Rig rig;
  Client client = rig.connect();
  client.fd.reset();
  CHECK(rig.is_closed());
  CHECK(rig.closed == "1006 connection lost;");
}

TEST_CASE("websocket: a client that does not answer is pinged, then cut") {
  Rig rig({.ping_interval = Millis(20), .ping_timeout = Millis(20)});
  Client client = rig.connect();
  CHECK(client.ends());
  CHECK(client.frames() == "ping: ");
  CHECK(rig.closed == "1006 connection lost;");
}

TEST_CASE("websocket: a Close that is not answered does not keep the connection") {
  Rig rig({.close_timeout = Millis(20)});
  Client client = rig.connect();
  REQUIRE(rig.ws->close(1000, "bye"));
  CHECK_FALSE(rig.ws->close());
  CHECK(client.ends());
  CHECK(client.frames() == "close:1000(bye) ");
  CHECK(rig.is_closed());
}

TEST_CASE("websocket: the server's close tells clients 1001, and waits for them") {
  Rig rig;
  Client client = rig.connect();
  bool closed = false;
  rig.server.close([&] { closed = true; });
  client.hears("\x03\xe9");
  CHECK(client.frames() == "close:1001 ");
  CHECK_FALSE(closed);
  client.send(close_frame(1001));
  CHECK(client.ends());
  client.fd.reset();
  CHECK(run_until(rig.loop, [&] { return closed; }));
}

TEST_CASE("websocket: a slow client is told by send, read no more, and cut at the limit") {
  Rig rig({.send_limit = 4 << 20});
  Client client = rig.connect();
  const std::string large(1 << 20, 'x');
  bool slow = false;
  for (int i = 0; i < 64 && !slow; ++i) slow = !rig.ws->send_binary(large).value_or(false);
  CHECK(slow);
  SUBCASE("it drains") {
    bool drained = false;
    rig.ws->on_drain([&] { drained = true; });
    CHECK(run_until(rig.loop, [&] { return client.read(), drained; }));
    CHECK(rig.ws->send("more").value());
  }
  SUBCASE("it does not") {
    bool cut = false;
    for (int i = 0; i < 64 && !cut; ++i) cut = !rig.ws->send_binary(large);
    CHECK(cut);
    CHECK(rig.is_closed());
    CHECK_FALSE(rig.ws->is_open());
  }
}

TEST_CASE("websocket: handles may outlive the server") {
  std::optional<WebSocket> kept;
  {
    Rig rig;
    Client client = rig.connect();
    kept = rig.ws;
    client.send(frame(kText, "a"));
    rig.server.close_connections();
    CHECK(client.ends());
    CHECK(rig.is_closed());
  }
  CHECK_FALSE(kept->send("x"));
  CHECK_FALSE(kept->is_open());
}

TEST_CASE("event stream: events go out, and its last handle ends it") {
  Rig rig;
  std::optional<EventStream> stream;
  int closed = 0;
  rig.server.get("/events", [&](const Request& q, ResponseWriter writer) {
    auto started = EventStream::start(q, std::move(writer), {.headers = {{"X-Own", "1"}}});
    REQUIRE(started);
    stream = *started;
    stream->on_close([&] { ++closed; });
  });
  Client client(rig.loop, *rig.address);
  client.send("GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 7\r\n\r\n");
  REQUIRE(run_until(rig.loop, [&] { return stream.has_value(); }));
  CHECK(stream->last_event_id() == "7");
  CHECK(stream->send("one").value());
  CHECK_FALSE(stream->send({.data = "1", .event = "a\nb"}));
  client.hears("data: one\n\n");
  CHECK(client.in.contains("Content-Type: text/event-stream\r\n"));
  CHECK(client.in.contains("Cache-Control: no-cache\r\n"));
  CHECK(client.in.contains("X-Own: 1\r\n"));
  SUBCASE("by the last handle") {
    stream.reset();
    client.hears("\r\n0\r\n\r\n");
    CHECK(closed == 0);
  }
  SUBCASE("by end()") {
    stream->end();
    client.hears("\r\n0\r\n\r\n");
    CHECK(run_until(rig.loop, [&] { return closed == 1; }));
    CHECK_FALSE(stream->send("late"));
  }
  SUBCASE("by the client") {
    client.fd.reset();
    CHECK(run_until(rig.loop, [&] { return (void)stream->send("x"), closed == 1; }));
    CHECK_FALSE(stream->is_open());
  }
  SUBCASE("by the server") {
    rig.server.close();
    client.hears("\r\n0\r\n\r\n");
    CHECK(run_until(rig.loop, [&] { return closed == 1; }));
  }
}

TEST_CASE("event stream: a comment goes out while nothing happens") {
  Rig rig;
  std::optional<EventStream> stream;
  rig.server.get("/events", [&](const Request& q, ResponseWriter writer) {
    stream = *EventStream::start(q, std::move(writer), {.keep_alive = Millis(5)});
  });
  Client client(rig.loop, *rig.address);
  client.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  client.hears("\r\n:\n\n\r\n");
  stream.reset();
}

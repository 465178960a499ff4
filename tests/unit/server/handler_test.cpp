// SPDX-License-Identifier: Apache-2.0
// Coroutine handlers, middleware, connections that are taken over.
#include "later.h"

#include <coroutine>
#include <malloc.h>

using namespace pronghorn;
using namespace pronghorn::test;
using Phase = server::Session::Phase;

namespace {

const std::string kGet = "GET /w HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kNext = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

/// Something to wait for. What is awaited is a copy in any case: gcc 12 makes one of a captured
/// reference.
struct Gate {
  std::coroutine_handle<> waiter;
  struct Wait {
    Gate* gate;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> who) noexcept { gate->waiter = who; }
    void await_resume() const noexcept {}
  };
  Wait wait() { return Wait{this}; }
  void open() { std::exchange(waiter, nullptr).resume(); }
};

/// Bytes that are allocated; 0 under sanitizers, which have their own allocator.
std::size_t in_use() {
  auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Counts its lives.
struct Witness {
  int& n;
  explicit Witness(int& count) : n(count) { ++n; }
  Witness(const Witness&) = delete;
  ~Witness() { --n; }
};

}  // namespace

TEST_CASE("handler: a coroutine answers when it returns") {
  Later l;
  Gate gate;
  l.on("GET", "/w", [&](const Request& q) -> Task<Response> {
    co_await gate.wait();
    co_return Response::text("for " + std::string(q.header("host")));
  });
  Talk talk(l);
  talk.send(kGet + kNext);
  CHECK(talk.out.empty());
  CHECK(talk.session.phase() == Phase::handling);
  gate.open();
  talk.settle();
  auto all = answers(talk.out);
  REQUIRE(all.size() == 2);
  CHECK(all[0].body == "for x");
}

TEST_CASE("handler: a coroutine that need not wait answers at once, however it is cut") {
  std::string text = all_ways(
      [](Later& l) {
        l.on("*", "/w", [](const Request& q) -> Task<Response> {
          co_return Response::text(std::string(q.method()) + std::string(q.body()));
        });
      },
      "POST /w HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" + kGet + kNext);
  auto all = answers(text);
  REQUIRE(all.size() == 3);
  CHECK(all[0].body == "POSTabc");
  CHECK(all[1].body == "GET");
}

TEST_CASE("handler: a coroutine that throws, before or after waiting, is a 500") {
  Later l;
  Gate gate;
  l.on("GET", "/w", [&](const Request&) -> Task<Response> {
    co_await gate.wait();
    throw std::runtime_error("oh");
  });
  l.on("GET", "/now", [&](const Request&) -> Task<Response> {
    throw 7;
    co_return Response();
  });
  l.on("GET", "/bad",
       [&](const Request&) -> Task<Response> { co_return Response().header("X", "a\r\nb"); });
  Talk talk(l);
  talk.send("GET /now HTTP/1.1\r\nHost: x\r\n\r\nGET /bad HTTP/1.1\r\nHost: x\r\n\r\n" + kGet +
            kNext);
  CHECK(statuses(talk.out) == std::vector{500, 500});
  gate.open();
  talk.settle();
  CHECK(statuses(talk.out) == std::vector{500, 500, 500, 200});
}

TEST_CASE("handler: a coroutine whose client has left finishes without harm") {
  Later l;
  Gate gate;
  int lives = 0;
  std::string saw;
  l.on("GET", "/w", [&](const Request& q) -> Task<Response> {
    Witness witness(lives);
    co_await gate.wait();
    saw = q.target();
    co_return Response();
  });
  {
    Talk(l).send(kGet);
  }
  CHECK(lives == 1);
  gate.open();
  CHECK(saw == "/w");
  CHECK(lives == 0);
}

TEST_CASE("handler: a coroutine that never returns is destroyed with the server") {
  int lives = 0;
  Gate gate;
  {
    Later l;
    l.on("GET", "/w", [&](const Request&) -> Task<Response> {
      Witness witness(lives);
      co_await gate.wait();
      co_return Response();
    });
    Talk talk(l);
    talk.send(kGet);
    CHECK(lives == 1);
  }
  CHECK(lives == 0);
}

TEST_CASE("handler: HEAD, 405 and OPTIONS are the same for all shapes") {
  Later l;
  l.on("GET", "/w", [](const Request&) -> Task<Response> { co_return Response::text("body"); });
  l.on("GET", "/p",
       [](const Request&, ResponseWriter w) { CHECK(w.respond(Response::text("b"))); });
  Talk talk(l);
  for (const char* path : {"/w", "/p"}) {
    for (const char* method : {"HEAD", "POST", "OPTIONS"}) {
      talk.send(std::string(method) + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }
  }
  auto all = answers(talk.out, "HPOHPO");
  REQUIRE(all.size() == 6);
  for (std::size_t i : {0u, 3u}) {
    CHECK(all[i].status == 200);
    CHECK(all[i].body.empty());
    CHECK(all[i + 1].status == 405);
    CHECK(all[i + 1].has("Allow: GET, HEAD, OPTIONS\r\n"));
    CHECK(all[i + 2].status == 204);
  }
}

TEST_CASE(
    "middleware: before answers in the handler's place, below its prefix however it is spelt") {
  Later l;
  l.on("GET", "/admin/x", [](const Request&) { return Response::text("secret"); });
  l.router.fallback([](const Request&) { return Response::text("file"); });
  REQUIRE(l.router.before("/admin/", [](const Request& q) -> std::optional<Response> {
    if (q.has_header("authorization")) return std::nullopt;
    return Response(401).header("WWW-Authenticate", "Basic");
  }));
  CHECK_FALSE(l.router.before("admin", nullptr));
  Talk talk(l);
  auto ask = [&](const std::string& path, const char* fields = "") {
    talk.out.clear();
    talk.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
    return statuses(talk.out).at(0);
  };
  for (const char* path : {"/admin", "/admin/", "/admin/x", "/%61dmin/x", "//admin/x", "/./admin/x",
                           "/y/../admin/x", "/y/%2e%2e/admin", "/admin%2fx", "/admin/none"}) {
    CAPTURE(path);
    CHECK(ask(path) == 401);
  }
  CHECK(ask("/admin/x", "Authorization: a\r\n") == 200);
  for (const char* path : {"/administrator", "/hello", "/y/admin", "/"}) {
    CAPTURE(path);
    CHECK(ask(path) == 200);
  }
}

TEST_CASE(
    "middleware: after sees every answer to what was routed, also the head of one in pieces") {
  Later l;
  std::vector<std::string> seen;
  REQUIRE(l.router.after("/", [&](const Request& q, Response& r) {
    seen.push_back(std::string(q.path()) + " " + std::to_string(r.status()));
    r.header("X-Frame-Options", "DENY");
  }));
  l.on("GET", "/pieces", [](const Request&, ResponseWriter w) {
    CHECK(w.start(Response()));
    CHECK(w.end());
  });
  l.on("GET", "/task", [](const Request&) -> Task<Response> { co_return Response(204); });
  Talk talk(l);
  for (const char* path : {"/hello", "/pieces", "/task", "/nope", "/throw"}) {
    talk.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  CHECK(count_of_text(talk.out, "X-Frame-Options: DENY\r\n") == 5);
  CHECK(seen == std::vector<std::string>{"/hello 200", "/pieces 200", "/task 204", "/nope 404",
                                         "/throw 500"});
}

TEST_CASE("middleware: what it throws, or makes unsendable, is a 500") {
  Later l;
  REQUIRE(l.router.before("/b", [](const Request&) -> std::optional<Response> { throw 1; }));
  REQUIRE(l.router.after("/a", [](const Request&, Response&) { throw 1; }));
  REQUIRE(l.router.after("/c", [](const Request&, Response& r) { r.header("X", "\r\n"); }));
  for (const char* path : {"/a", "/b", "/c"}) {
    l.on("GET", path, [](const Request&, ResponseWriter w) {
      CHECK(w.start(Response()));
      CHECK(w.write("x"));
      CHECK(w.end());
    });
  }
  for (const char* path : {"/a", "/b", "/c"}) {
    Talk talk(l);
    talk.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(statuses(talk.out) == std::vector{500});
  }
}

TEST_CASE("upgrade: the connection is the handler's, beginning with what came behind the head") {
  std::string text = all_ways(
      [](Later& l) {
        l.on("GET", "/w", [](const Request& q, ResponseWriter w) {
          auto stream = w.upgrade(Response().header("Upgrade", std::string(q.header("upgrade"))));
          REQUIRE(stream);
          auto raw = std::make_shared<UpgradedStream>(std::move(*stream));
          raw->on_data([raw](std::string_view bytes) {
            for (char c : bytes) {
              if (c == '.') return raw->end();
              CHECK(raw->write(std::string(1, static_cast<char>(c - 32))));
            }
          });
        });
      },
      "GET /w HTTP/1.1\r\nHost: x\r\nUpgrade: loud\r\nConnection: keep-alive, "
      "Upgrade\r\n\r\nhello.");
  CHECK(text ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: loud\r\nConnection: Upgrade\r\n\r\n"
        "HELLO|closes");
}

TEST_CASE("upgrade: only where the request asks for it; else it is answered as any other") {
  for (const char* fields : {"", "Upgrade: x\r\n", "Connection: upgrade\r\n",
                             "Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 1\r\n"}) {
    for (const char* version : {"1.1", "1.0"}) {
      bool asks = version == std::string("1.1") && std::string(fields).contains("Content");
      std::string request =
          "GET /w HTTP/" + std::string(version) + "\r\nHost: x\r\n" + fields + "\r\n";
      if (std::string(fields).contains("Content")) request += "b";
      CAPTURE(request);
      std::string text = all_ways(
          [asks](Later& l) {
            l.on("GET", "/w", [asks](const Request&, ResponseWriter w) {
              if (asks) return void(w.respond(Response::text("with a body it can be taken")));
              auto stream = w.upgrade(Response().header("Upgrade", "x"));
              REQUIRE_FALSE(stream);
              CHECK(stream.error().code() == Errc::upgrade_not_asked);
              CHECK(w.respond(Response::text("plain")));
            });
          },
          request);
      CHECK(statuses(text.substr(0, text.find('|'))) == std::vector{200});
    }
  }
}

TEST_CASE("upgrade: nothing is read while nobody listens, and a client's end is told") {
  Later l;
  std::optional<UpgradedStream> stream;
  std::string got;
  int ends = 0, closed = 0;
  l.on("GET", "/w", [&](const Request&, ResponseWriter w) {
    stream = std::move(w.upgrade(Response().header("Upgrade", "x")).value());
  });
  {
    Talk talk(l);
    talk.send("GET /w HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nearly");
    CHECK(talk.session.phase() == Phase::streaming);
    CHECK_FALSE(talk.session.wants_input());
    stream->on_data([&](std::string_view bytes) {
      got += bytes;
      if (got == "early") stream->pause();
    });
    stream->on_end([&] { ++ends; });
    stream->on_close([&] { ++closed; });
    talk.settle();
    CHECK(got == "early");
    talk.send("late");
    CHECK(got == "early");
    CHECK(talk.kept_outside() == 4);
    stream->resume();
    talk.finish_sending();
    CHECK(got == "earlylate");
    CHECK(ends == 1);
    CHECK(stream->write("still"));
    talk.settle();
    CHECK(talk.out.ends_with("still"));
    CHECK_FALSE(talk.session.wants_close());
  }
  CHECK(closed == 1);
  CHECK_FALSE(stream->write("x"));
}

TEST_CASE("upgrade: dropping the stream ends the connection at once") {
  Later l;
  l.on("GET", "/w", [&](const Request&, ResponseWriter w) {
    auto stream = w.upgrade(Response().header("Upgrade", "x"));
    CHECK(stream);
  });
  Talk talk(l);
  talk.send("GET /w HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
  CHECK(talk.session.needs_reset());
  CHECK(l.counters.requests_active.get() == 0);
}

TEST_CASE("handler: a writer that is kept holds nothing of what was written") {
  constexpr std::size_t kMuch = 4 << 20;
  for (bool client_leaves : {false, true}) {
    CAPTURE(client_leaves);
    Later l;
    l.on("GET", "/w", [&](const Request&, ResponseWriter w) {
      CHECK(w.start(Response()));
      l.writers.emplace("w", std::move(w));
    });
    std::optional<Talk> talk(std::in_place, l);
    talk->send(kGet);
    std::size_t before = in_use();
    CHECK(l.writers.at("w").write(std::string(kMuch, 'x')));
    if (client_leaves) {
      talk.reset();
    } else {
      talk->settle();
      CHECK(talk->out.size() > kMuch);
      std::string().swap(talk->out);
    }
    CHECK(in_use() < before + kMuch / 2);
  }
}

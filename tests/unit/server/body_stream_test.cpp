// SPDX-License-Identifier: Apache-2.0
// Request bodies as they come.
#include <pronghorn/server/body_stream.h>

#include "later.h"

using namespace pronghorn;
using namespace pronghorn::test;
using Phase = server::Session::Phase;

namespace {

const RouteOptions kStreams{.body_limit = {}, .stream_body = true};
const std::string kNext = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST /b HTTP/1.1\r\nHost: x\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string chunked(std::string_view body) {
  return "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

Task<Response> collect(const Request& q) {
  BodyStream body = q.body_stream();
  std::string all;
  while (auto piece = co_await body.read()) all += *piece;
  co_return Response::text(all);
}

void collect_by_callback(const Request& q, ResponseWriter w) {
  auto all = std::make_shared<std::string>();
  auto writer = std::make_shared<ResponseWriter>(std::move(w));
  BodyStream body = q.body_stream();
  body.on_data([all](std::string_view piece) { all->append(piece); });
  body.on_end([all, writer] { CHECK(writer->respond(Response::text(*all))); });
}

}  // namespace

TEST_CASE("body stream: read() gets all of it, however it is cut") {
  for (const std::string& request :
       {post("hello body"), post(""), chunked("5\r\nhello\r\n5\r\n body\r\n0\r\n\r\n"),
        chunked("0\r\n\r\n")}) {
    CAPTURE(request);
    std::string want = request.contains("hello") ? "hello body" : "";
    std::string text =
        all_ways([](Later& l) { l.on("POST", "/b", collect, kStreams); }, request + kNext);
    auto all = answers(text);
    REQUIRE(all.size() == 2);
    CHECK(all[0].body == want);
    // By callbacks, and of a body that is here already, too.
    CHECK(all_ways([](Later& l) { l.on("POST", "/b", collect_by_callback, kStreams); },
                   request + kNext) == text);
    CHECK(all_ways([](Later& l) { l.on("POST", "/b", collect); }, request + kNext) == text);
    CHECK(all_ways([](Later& l) { l.on("POST", "/b", collect_by_callback); }, request + kNext) ==
          text);
  }
}

TEST_CASE("body stream: an incomplete body never ends") {
  for (const std::string& request :
       {post("hello").substr(0, post("hello").size() - 1), chunked("5\r\nhello\r\n")}) {
    CAPTURE(request);
    std::string text =
        all_ways([](Later& l) { l.on("POST", "/b", collect, kStreams); }, request, true);
    CHECK(statuses(text.substr(0, text.find('|'))) == std::vector{400});
    Later l;
    std::string told;
    l.on(
        "POST", "/b",
        [&](const Request& q, ResponseWriter w) {
          BodyStream body = q.body_stream();
          body.on_data([](std::string_view) {});
          body.on_end([&] { told = "end"; });
          body.on_error([&](const Error& error) {
            CHECK(error.code() == Errc::body_incomplete);
            told = "error";
          });
          l.writers.emplace("w", std::move(w));
        },
        kStreams);
    {
      Talk(l).send(request);
    }  // the client is gone, without even a FIN
    CHECK(told == "error");
  }
}

TEST_CASE("body stream: a limit of the route is a 413, from the head alone where it says") {
  RouteOptions small{.body_limit = 4, .stream_body = true};
  auto routes = [&](Later& l) {
    l.on("POST", "/b", collect, small);
    l.on("POST", "/whole", collect, RouteOptions{.body_limit = 4});
    l.on("POST", "/large", collect, RouteOptions{.body_limit = 3 << 20});
  };
  CHECK(all_ways(routes, post("hell")).contains("\r\n\r\nhell"));
  Later l;
  routes(l);
  Talk talk(l);
  talk.send(post("hello").substr(0, post("hello").size() - 5));
  CHECK(statuses(talk.out) == std::vector{413});
  std::string text = all_ways(routes, chunked("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"));
  CHECK(statuses(text.substr(0, text.find('|'))) == std::vector{413});
  Talk whole(l);
  whole.send("POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
  CHECK(statuses(whole.out) == std::vector{413});
  Talk large(l);
  large.send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" +
             std::string(2'000'000, 'x'));
  CHECK(answers(large.out).at(0).body.size() == 2'000'000);
}

TEST_CASE("body stream: nothing is read before it is asked for, nor while it is paused") {
  Later l;
  std::optional<BodyStream> body;
  std::string got;
  l.on(
      "POST", "/b",
      [&](const Request& q, ResponseWriter w) {
        body = q.body_stream();
        l.writers.emplace("w", std::move(w));
      },
      kStreams);
  Talk talk(l);
  talk.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n");
  CHECK_FALSE(talk.session.wants_input());
  CHECK(talk.session.phase() == Phase::handling);  // the handler's time, not the client's
  body->on_data([&](std::string_view piece) {
    got += piece;
    body->pause();
  });
  talk.settle();
  CHECK(talk.session.phase() == Phase::body);
  talk.send("abc");
  CHECK(got == "abc");
  CHECK_FALSE(talk.session.wants_input());
  talk.send("def");
  CHECK(talk.kept_outside() == 3);
  bool ended = false;
  body->on_end([&] { ended = true; });
  body->resume();
  talk.settle();
  CHECK(got == "abcdef");
  CHECK_FALSE(ended);  // paused again
  body->resume();
  CHECK(ended);
  CHECK(l.writers.at("w").respond(Response()));
  talk.settle();
  CHECK(statuses(talk.out) == std::vector{200});
}

TEST_CASE("body stream: 100 (Continue) comes when the body is first asked for") {
  Later l;
  std::optional<BodyStream> body;
  l.on(
      "POST", "/b",
      [&](const Request& q, ResponseWriter w) {
        body = q.body_stream();
        l.writers.emplace("w", std::move(w));
      },
      kStreams);
  Talk talk(l);
  talk.send("POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  CHECK(talk.out.empty());
  body->on_data([](std::string_view) {});
  body->on_end([&] { CHECK(l.writers.at("w").respond(Response::text("thanks"))); });
  talk.settle();
  CHECK(talk.out == "HTTP/1.1 100 Continue\r\n\r\n");
  talk.send("x");
  CHECK(answers(talk.out).at(0).body == "thanks");
  CHECK_FALSE(talk.session.wants_close());
}

TEST_CASE("body stream: 100 (Continue) goes before a head that was begun in the same turn") {
  Later l;
  l.on(
      "POST", "/b",
      [&](const Request& q, ResponseWriter w) {
        CHECK(w.informational(103));
        CHECK(w.start(Response(200)));
        CHECK(w.write("begun"));
        auto writer = std::make_shared<ResponseWriter>(std::move(w));
        BodyStream body = q.body_stream();
        body.on_data([](std::string_view) {});
        body.on_end([writer] { CHECK(writer->end()); });
      },
      kStreams);
  Talk talk(l);
  talk.send("POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  CHECK(talk.out.starts_with(
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
  talk.send("x");
  CHECK(talk.out.ends_with("5\r\nbegun\r\n0\r\n\r\n"));
  CHECK_FALSE(talk.session.wants_close());
}

TEST_CASE("body stream: an answer without asking for an expected body ends the connection") {
  std::string text = all_ways(
      [](Later& l) {
        l.on(
            "POST", "/b", [](const Request&, ResponseWriter w) { CHECK(w.respond(Response(403))); },
            kStreams);
      },
      "POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n" + kNext);
  CHECK(text.contains("403 Forbidden"));
  CHECK_FALSE(text.contains("100 Continue"));
  CHECK(text.contains("Connection: close"));
  CHECK(text.ends_with("|closes"));
}

TEST_CASE(
    "body stream: after an early answer a short rest is read, a long one ends the connection") {
  auto routes = [](Later& l) {
    l.limits.linger = 20;
    l.on(
        "POST", "/b",
        [](const Request&, ResponseWriter w) { CHECK(w.respond(Response::text("early"))); },
        kStreams);
  };
  std::string text = all_ways(routes, post("0123456789") + kNext);
  CHECK(statuses(text) == std::vector{200, 200});
  text = all_ways(routes, post(std::string(21, 'x')) + kNext);
  CHECK(text.contains("Connection: close"));
  CHECK(statuses(text.substr(0, text.find('|'))) == std::vector{200});
  text = all_ways(routes, chunked("3\r\nabc\r\n0\r\n\r\n") + kNext);
  CHECK(statuses(text) == std::vector{200, 200});
  text = all_ways(routes, chunked("20\r\n" + std::string(32, 'x') + "\r\n0\r\n\r\n") + kNext);
  CHECK(statuses(text.substr(0, text.find('|'))) == std::vector{200});
  CHECK(text.ends_with("|closes"));
}

TEST_CASE("body stream: a body that is too slow is a 408, and its reader hears of it") {
  Later l;
  std::optional<Errc> error;
  l.on(
      "POST", "/b",
      [&](const Request& q, ResponseWriter w) {
        BodyStream body = q.body_stream();
        body.on_data([](std::string_view) {});
        body.on_error([&](const Error& e) { error = static_cast<Errc>(e.code().value()); });
        l.writers.emplace("w", std::move(w));
      },
      kStreams);
  Talk talk(l);
  talk.send(post("hello").substr(0, post("hello").size() - 1));
  REQUIRE(talk.session.phase() == Phase::body);
  talk.session.on_timeout(talk.out);
  CHECK(statuses(talk.out) == std::vector{408});
  CHECK(error == Errc::body_timeout);
}

TEST_CASE("body stream: a listener that throws is a handler that throws") {
  std::string text = all_ways(
      [](Later& l) {
        l.on(
            "POST", "/b",
            [&l](const Request& q, ResponseWriter w) {
              BodyStream body = q.body_stream();
              body.on_end([] { throw std::runtime_error("oh"); });
              body.on_data([](std::string_view) {});
              l.writers.emplace("w", std::move(w));
            },
            kStreams);
      },
      post("hello"));
  CHECK(statuses(text.substr(0, text.find('|'))) == std::vector{500});
}

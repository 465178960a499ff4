// SPDX-License-Identifier: Apache-2.0
// What a ResponseWriter may say, and what the client then gets.
#include "later.h"

using namespace pronghorn;
using namespace pronghorn::test;
using Phase = server::Session::Phase;

namespace {

const std::string kGet = "GET /w HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kHead = "HEAD /w HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kOld = "GET /w HTTP/1.0\r\n\r\n";
const std::string kNext = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

/// A conversation with a handler at /w.
std::string said(const std::function<void(ResponseWriter)>& handler,
                 std::string_view request = kGet) {
  return all_ways(
      [&](Later& l) {
        l.on("*", "/w", [handler](const Request&, ResponseWriter w) { handler(std::move(w)); });
      },
      request);
}

template <class T>
Errc code(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return static_cast<Errc>(result.error().code().value());
}

std::string body_of(const std::string& text) { return text.substr(text.find("\r\n\r\n") + 4); }

}  // namespace

TEST_CASE("writer: a whole answer is as a value's, and the connection goes on") {
  std::string text =
      said([](ResponseWriter w) { CHECK(w.respond(Response::text("hi"))); }, kGet + kNext);
  CHECK(statuses(text) == std::vector{200, 200});
  CHECK(answers(text)[0].body == "hi");
  CHECK_FALSE(text.contains("closes"));
}

TEST_CASE("writer: pieces are chunks, and trailers follow them") {
  std::string text = said([](ResponseWriter w) {
    CHECK(w.start(Response().type("text/plain")));
    CHECK(w.write("hello ").value());
    CHECK(w.write("").value());
    CHECK(w.write("0123456789abcdef").value());
    CHECK(w.end({{"X-Sum", "7"}}));
  });
  CHECK(text.contains("\r\nTransfer-Encoding: chunked\r\n"));
  CHECK_FALSE(text.contains("Content-Length"));
  CHECK(body_of(text) == "6\r\nhello \r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 7\r\n\r\n");
}

TEST_CASE("writer: with a length there are no chunks") {
  std::string text = said(
      [](ResponseWriter w) {
        CHECK(w.start(Response(), 5));
        CHECK(w.write("he"));
        CHECK(w.write("llo"));
        CHECK(w.end());
      },
      kGet + kNext);
  auto all = answers(text);
  REQUIRE(all.size() == 2);
  CHECK(all[0].body == "hello");
  CHECK_FALSE(all[0].has("Transfer-Encoding"));
}

TEST_CASE("writer: to HTTP/1.0 the end is the connection's, and nothing is informational") {
  std::string text = said(
      [](ResponseWriter w) {
        CHECK(w.informational(103, {{"Link", "</a.css>"}}));
        CHECK(w.start(Response()));
        CHECK(w.write("all"));
        CHECK(w.end());
      },
      "GET /w HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(text.starts_with("HTTP/1.1 200"));
  CHECK(text.contains("\r\nConnection: close\r\n"));
  CHECK_FALSE(text.contains("Transfer-Encoding"));
  CHECK(body_of(text) == "all|closes");
}

TEST_CASE("writer: HEAD, 204, 205 and 304 have no body, whatever is written") {
  auto pieces = [](int status) {
    return [status](ResponseWriter w) {
      CHECK(w.start(Response(status), status == 205 ? std::optional(6) : std::nullopt));
      CHECK(w.write("secret"));
      CHECK(w.end());
    };
  };
  for (const auto& [status, request] :
       {std::pair{200, kHead}, {204, kGet}, {205, kGet}, {304, kGet}}) {
    CAPTURE(status);
    std::string text = said(pieces(status), request + kNext);
    CHECK_FALSE(text.contains("secret"));
    CHECK_FALSE(text.contains("Transfer-Encoding"));
    CHECK(statuses(text) == std::vector{status, 200});
  }
  std::string sized = said(
      [](ResponseWriter w) {
        CHECK(w.start(Response(), 7));
        CHECK(w.end());  // what a HEAD would have is not asked for
      },
      kHead);
  CHECK(sized.contains("Content-Length: 7"));
}

TEST_CASE("writer: informational answers come before the answer") {
  std::string text = said([](ResponseWriter w) {
    CHECK(w.informational(102));
    CHECK(w.informational(103, {{"Link", "</a.css>; rel=preload"}}));
    CHECK(code(w.informational(100)) == Errc::invalid_status_code);
    CHECK(code(w.informational(101)) == Errc::invalid_status_code);
    CHECK(code(w.informational(103, {{"X", "a\r\nb"}})) == Errc::invalid_char);
    CHECK(w.respond(Response::text("done")));
    CHECK(code(w.informational(103)) == Errc::headers_sent);
  });
  CHECK(
      text.starts_with("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
                       "Link: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_CASE("writer: dropped unanswered it is a 500, and the connection goes on") {
  std::string text = said([](ResponseWriter) {}, kGet + kNext);
  CHECK(statuses(text) == std::vector{500, 200});
}

TEST_CASE("writer: dropped within a body it is a cut that nobody takes for an end") {
  auto drop = [](std::optional<std::uint64_t> length, const std::string& request) {
    return said(
        [length](ResponseWriter w) {
          CHECK(w.start(Response(), length));
          CHECK(w.write("part"));
        },
        request + kNext);
  };
  std::string chunked = drop({}, kGet);
  CHECK(body_of(chunked) == "4\r\npart\r\n|closes");  // no last chunk
  CHECK(body_of(drop(10, kGet)) == "part|closes");
  CHECK(body_of(drop(4, kGet)) == "part|closes|resets");
  CHECK(body_of(drop({}, kOld)) == "part|closes|resets");
}

TEST_CASE("writer: a second answer is an error to the handler and nothing to the client") {
  std::string text = said([](ResponseWriter w) {
    CHECK(w.respond(Response::text("one")));
    CHECK(code(w.respond(Response::text("two"))) == Errc::headers_sent);
    CHECK(code(w.start(Response())) == Errc::headers_sent);
    CHECK(code(w.write("x")) == Errc::write_after_end);
    CHECK(code(w.end()) == Errc::write_after_end);
    ResponseWriter moved = std::move(w);
    CHECK(code(w.respond(Response())) == Errc::headers_sent);  // NOLINT(bugprone-use-after-move)
    CHECK(w.is_gone());
  });
  CHECK(statuses(text) == std::vector{200});
  CHECK(answers(text)[0].body == "one");
}

TEST_CASE("writer: more than the announced length is refused, less is a cut") {
  std::string more = said([](ResponseWriter w) {
    CHECK(w.start(Response(), 3));
    CHECK(w.write("abc"));
    CHECK(code(w.write("d")) == Errc::content_length_mismatch);
    CHECK(w.end());
  });
  CHECK(body_of(more) == "abc");
  std::string less = said([](ResponseWriter w) {
    CHECK(w.start(Response(), 3));
    CHECK(w.write("ab"));
    CHECK(code(w.end()) == Errc::content_length_mismatch);
    CHECK(code(w.write("c")) == Errc::stream_destroyed);
  });
  CHECK(body_of(less) == "ab|closes");
}

TEST_CASE("writer: nothing that splits a head goes out") {
  for (std::string bad : {std::string("a\r\nb"), std::string("a\nb"), std::string("a\0b", 3)}) {
    std::string text = said([&](ResponseWriter w) {
      CHECK(code(w.respond(Response::text("x").header("X", bad))) == Errc::invalid_char);
    });
    CHECK(statuses(text) == std::vector{500});
    text = said([&](ResponseWriter w) {
      CHECK(code(w.start(Response().header(bad, "x"))) == Errc::invalid_char);
      CHECK_FALSE(w.write("y"));
    });
    CHECK(statuses(text) == std::vector{500});
    text = said([&](ResponseWriter w) {
      CHECK(w.start(Response()));
      CHECK(code(w.end({{"X-Sum", bad}})) == Errc::invalid_char);
      CHECK(w.end());
    });
    CHECK(body_of(text) == "0\r\n\r\n");
  }
  std::string text = said(
      [](ResponseWriter w) { CHECK(code(w.start(Response(101))) == Errc::invalid_status_code); });
  CHECK(statuses(text) == std::vector{500});
  text = said([](ResponseWriter w) {
    CHECK(code(w.start(Response::text("body"))) == Errc::invalid_arg_value);
  });
  CHECK(statuses(text) == std::vector{500});
}

TEST_CASE("writer: trailers must be such as may be trailers, after chunks") {
  said([](ResponseWriter w) {
    CHECK(w.start(Response()));
    for (const char* name : {"Content-Length", "transfer-encoding", "Host", "Set-Cookie", "Trailer",
                             "Authorization", "Content-Type", "Cache-Control"}) {
      CAPTURE(name);
      CHECK(code(w.end({{name, "1"}})) == Errc::trailer_invalid);
    }
    CHECK(w.end({{"Server-Timing", "a"}}));
  });
  said([](ResponseWriter w) {
    CHECK(w.start(Response(), 0));
    CHECK(code(w.end({{"X-Sum", "1"}})) == Errc::trailer_invalid);
    CHECK(w.end());
  });
}

TEST_CASE("writer: writing before the start is an error") {
  said([](ResponseWriter w) {
    CHECK(code(w.write("x")) == Errc::headers_not_sent);
    CHECK(code(w.end()) == Errc::headers_not_sent);
    CHECK(w.respond(Response()));
  });
}

TEST_CASE("writer: a handler that throws before its answer is a 500, within it a cut") {
  std::string before = said(
      [](ResponseWriter w) {
        CHECK_FALSE(w.is_gone());
        throw std::runtime_error("oh");
      },
      kGet + kNext);
  CHECK(statuses(before) == std::vector{500, 200});
  std::string within = said(
      [](ResponseWriter w) {
        CHECK(w.start(Response()));
        throw 7;
      },
      kGet + kNext);
  CHECK(within.starts_with("HTTP/1.1 200"));
  CHECK(body_of(within) == "|closes");
}

TEST_CASE("writer: later requests wait for the answer, which comes first") {
  Later l;
  l.on("GET", "/w",
       [&](const Request& q, ResponseWriter w) { l.writers.emplace(q.query(), std::move(w)); });
  Talk talk(l);
  talk.send("GET /w?a HTTP/1.1\r\nHost: x\r\n\r\nGET /w?b HTTP/1.1\r\nHost: x\r\n\r\n" + kNext);
  CHECK(talk.out.empty());
  CHECK(talk.session.phase() == Phase::handling);
  CHECK(l.writers.size() == 1);
  CHECK_FALSE(talk.session.wants_input());  // what came with it is held back
  talk.send(kNext);
  CHECK(talk.kept_outside() == kNext.size());
  CHECK(l.writers.at("a").respond(Response::text("A")));
  talk.settle();
  REQUIRE(l.writers.size() == 2);
  CHECK(answers(talk.out).size() == 1);
  talk.finish_sending();  // a half-closed client gets its answers
  CHECK(l.writers.at("b").start(Response(), 1));
  talk.settle();
  CHECK(talk.session.phase() == Phase::streaming);
  CHECK(l.writers.at("b").write("B"));
  CHECK(l.writers.at("b").end());
  talk.settle();
  auto all = answers(talk.out);
  REQUIRE(all.size() == 4);
  CHECK(all[0].body == "A");
  CHECK(all[1].body == "B");
  CHECK(all[3].body == "hello\n");
  CHECK(talk.session.wants_close());
  CHECK(l.counters.requests_active.get() == 0);
  CHECK(l.counters.requests.get() == 4);
}

TEST_CASE("writer: the request outlives the client that left, as long as the writer does") {
  Later l;
  const Request* request = nullptr;
  int closed = 0;
  l.on("POST", "/w/:name", [&](const Request& q, ResponseWriter w) {
    request = &q;
    w.on_close([&] { ++closed; });
    l.writers.emplace("w", std::move(w));
  });
  {
    Talk talk(l);
    std::string bytes =
        "POST /w/a%20b?q HTTP/1.1\r\nHost: x\r\nX: y\r\nContent-Length: 4\r\n\r\nbody";
    talk.send(bytes);
    std::ranges::fill(bytes, '#');
    CHECK(l.counters.requests_active.get() == 1);
  }
  CHECK(closed == 1);
  CHECK(l.counters.requests_active.get() == 0);
  CHECK(request->param("name") == "a b");
  CHECK(request->query() == "q");
  CHECK(request->header("x") == "y");
  CHECK(request->body() == "body");
  CHECK(request->peer() == "127.0.0.1");
  ResponseWriter& w = l.writers.at("w");
  CHECK(w.is_gone());
  CHECK(code(w.respond(Response())) == Errc::stream_destroyed);
  l.writers.clear();
}

TEST_CASE("writer: a handler that never answers is a 503, and the connection ends") {
  Later l;
  int closed = 0;
  l.on("GET", "/w", [&](const Request&, ResponseWriter w) {
    w.on_close([&] { ++closed; });
    l.writers.emplace("w", std::move(w));
  });
  Talk talk(l);
  talk.send(kGet + kNext);
  REQUIRE(talk.session.phase() == Phase::handling);
  talk.session.on_timeout(talk.out);
  CHECK(statuses(talk.out) == std::vector{503});
  CHECK(talk.session.wants_close());
  CHECK(closed == 1);
  CHECK(code(l.writers.at("w").respond(Response())) == Errc::stream_destroyed);
}

TEST_CASE("writer: a full buffer is told by write's result, and on_drain when it has gone") {
  Later l;
  l.limits.write_buffer = 1000;
  int drained = 0;
  l.on("GET", "/w", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response()));
    CHECK(w.write(std::string(500, 'a')).value());
    CHECK_FALSE(w.write(std::string(600, 'b')).value());
    w.on_drain([&] {
      if (++drained == 1) CHECK(l.writers.at("w").write("c").value());
    });
    l.writers.emplace("w", std::move(w));
  });
  Talk talk(l);
  talk.unsent = 1;
  talk.send(kGet);
  CHECK(drained == 0);
  CHECK(talk.session.wants_writable());
  talk.unsent = 0;
  talk.settle();
  CHECK(drained == 1);
  CHECK_FALSE(talk.session.wants_writable());
  talk.unsent = 5000;  // what the connection holds counts
  CHECK_FALSE(l.writers.at("w").write("d").value());
  talk.unsent = 0;
  talk.settle();
  CHECK(drained == 2);
}

TEST_CASE("writer: on_close may destroy what it belongs to, and is not called after an answer") {
  Later l;
  int closed = 0;
  auto held = std::make_shared<std::optional<ResponseWriter>>();
  l.on("GET", "/w", [&, held](const Request&, ResponseWriter w) {
    w.on_close([&, held] {
      ++closed;
      held->reset();
    });
    held->emplace(std::move(w));
  });
  {
    Talk talk(l);
    talk.send(kGet);
  }
  CHECK(closed == 1);
  CHECK_FALSE(held->has_value());
  {
    Talk talk(l);
    talk.send(kGet);
    CHECK((*held)->respond(Response()));
    talk.settle();
  }
  CHECK(closed == 1);
}

TEST_CASE("writer: the access log and the counters see an answer in pieces once") {
  Later l;
  l.on("GET", "/w", [&](const Request&, ResponseWriter w) {
    CHECK(w.start(Response(503)));
    CHECK(w.write("12345"));
    l.writers.emplace("w", std::move(w));
  });
  Talk talk(l);
  talk.send(kGet);
  CHECK(l.counters.requests.get() == 0);
  l.writers.clear();
  talk.settle();
  CHECK(l.counters.requests.get() == 1);
  CHECK(l.counters.requests_failed.get() == 1);
  CHECK(l.counters.requests_active.get() == 0);
}

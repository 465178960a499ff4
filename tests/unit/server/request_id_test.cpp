// SPDX-License-Identifier: Apache-2.0
// What a request is called: the same on its page, in its line, for its handler and in its answer.
#include "server/request_id.h"

#include "allocation_count.h"
#include "later.h"
#include "logged.h"
#include "server/exchange.h"
#include "wire.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::test;
using Logged = LoggedBy<Wire>;
using server::RequestId;

namespace {

constexpr std::string_view kOwn = "0123456789abcdefghjkmnpqrstvwxyz";

bool is_own(std::string_view id) {
  return id.size() == RequestId::kSize && id.find_first_not_of(kOwn) == id.npos;
}

/// The id in a text of an error, in any of its forms.
std::string shown(const std::string& body) {
  for (std::string_view mark : {"<p>Request ", "(request ", "\"request_id\":\""}) {
    if (const auto at = body.find(mark); at != body.npos) {
      const auto begin = at + mark.size();
      return body.substr(begin, body.find_first_of("\n)\"", begin) - begin);
    }
  }
  return {};
}

std::string field(const Answer& answer) {
  constexpr std::string_view kName = "\r\nX-Request-Id: ";
  const auto at = answer.head.find(kName);
  if (at == std::string::npos) return {};
  CHECK(answer.head.find(kName, at + 1) == std::string::npos);
  const auto begin = at + kName.size();
  return answer.head.substr(begin, answer.head.find('\r', begin) - begin);
}

/// As written, with its ids.
std::string run(Wire& wire, const std::vector<std::string_view>& pieces) {
  server::Session session(wire.context, "127.0.0.1");
  std::string out;
  for (std::string_view piece : pieces) Wire::feed(session, piece, out);
  return out;
}

std::string get(std::string_view path, std::string_view fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

}  // namespace

TEST_CASE("request id: 16 letters and digits, once made the same, and never the same again") {
  RequestId id(false);
  const std::string first(id.get({}));
  CHECK(is_own(first));
  CHECK(id.get({}) == first);
  std::set<std::string> all{first};
  for (int i = 0; i < 10'000; ++i) {
    id.clear();
    CHECK(all.insert(std::string(id.get({}))).second);
  }
  std::thread([&] {
    RequestId other(false);
    for (int i = 0; i < 1000; ++i) {
      other.clear();
      CHECK(all.insert(std::string(other.get({}))).second);
    }
  }).join();
}

TEST_CASE("request id: which of a client's are taken") {
  const std::string longest(RequestId::kMost, 'a');
  const std::string uuid = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
  for (const std::string& good : {std::string("1"), uuid, longest, std::string("Az09-._~+/=:@,")}) {
    CAPTURE(good);
    CHECK(server::is_usable_id(good));
    const std::array fields{Field{"Host", "x"}, Field{"x-request-ID", good}};
    CHECK(RequestId(true).get(fields) == good);
    CHECK(is_own(RequestId(false).get(fields)));
  }
  for (const std::string& bad :
       {std::string(), longest + "a", std::string("a b"), std::string("<b>"), std::string("a\"b"),
        std::string("a\\b"), std::string("caf\xc3\xa9"), std::string("%0a")}) {
    CAPTURE(bad);
    CHECK_FALSE(server::is_usable_id(bad));
    const std::array fields{Field{"X-Request-Id", bad}};
    CHECK(is_own(RequestId(true).get(fields)));
  }
  const std::array twice{Field{"X-Request-Id", "a"}, Field{"X-Request-Id", "b"}};
  CHECK(is_own(RequestId(true).get(twice)));
}

TEST_CASE("request id: the page's is the log's, in each form and of each connection's requests") {
  Logged wire("%L");
  std::string lines;
  for (std::string_view accept : {"text/html", "application/json", "image/png"}) {
    const std::string ask = get("/none", "Accept: " + std::string(accept) + "\r\n");
    for (const Answer& answer : answers(run(wire, {ask + ask}))) {
      CHECK(is_own(shown(answer.body)));
      CHECK(field(answer).empty());
      lines += shown(answer.body) + "\n";
    }
  }
  CHECK(wire.lines() == lines);
}

TEST_CASE("request id: what is refused before its head is understood, or too late, has one too") {
  for (std::string_view request :
       {"GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\rx",
        "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nBad\r\n\r\n"}) {
    CAPTURE(request);
    Logged wire("%L");
    const Answer answer = answers(run(wire, {request})).at(0);
    CHECK(answer.status == 400);
    CHECK(is_own(shown(answer.body)));
    CHECK(wire.lines() == shown(answer.body) + "\n");
  }
  Logged wire("%s %L");
  server::Session session(wire.context, "127.0.0.1");
  std::string out;
  session.on_bytes("GET / HT", out);
  session.on_timeout(out);
  CHECK(wire.lines() == "408 " + shown(answers(out).at(0).body) + "\n");
}

TEST_CASE("request id: the handler's is the log's, of those that answer later too") {
  Logged wire("%L");
  std::vector<std::string> seen;
  wire.add("GET", "/id", [&](const Request& q) {
    seen.emplace_back(q.id());
    CHECK(q.id() == seen.back());
    return Response(204);
  });
  run(wire, {get("/id") + get("/id")});
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] != seen[1]);
  CHECK(wire.lines() == seen[0] + "\n" + seen[1] + "\n");

  LoggedBy<Later> later("%L");
  later.on("GET", "/late", [&](const Request& q, ResponseWriter w) {
    seen.emplace_back(q.id());
    (void)w.respond(Response::error(500));
  });
  Talk talk(later);
  talk.send(get("/late"));
  CHECK(shown(answers(talk.out).at(0).body) == seen.back());
  CHECK(later.lines() == seen.back() + "\n");
}

TEST_CASE("request id: request_id.answer says it on every answer, in place of a handler's own") {
  Logged wire("%L");
  wire.context.answers_id = true;
  wire.add("GET", "/own",
           [](const Request&) { return Response::text("x").header("X-Request-Id", "theirs"); });
  std::string lines;
  for (const std::string& ask :
       {get("/hello"), get("/none"), get("/file"), get("/own"), std::string("GARBAGE\r\n\r\n")}) {
    CAPTURE(ask);
    auto bytes = run(wire, {ask});
    bytes = bytes.substr(0, bytes.find("FILE("));
    if (ask.starts_with("GET /file")) bytes.replace(bytes.find("1000"), 4, "0");
    const Answer answer = answers(bytes).at(0);
    CHECK(is_own(field(answer)));
    if (answer.status >= 400) CHECK(shown(answer.body) == field(answer));
    lines += field(answer) + "\n";
  }
  CHECK(wire.lines() == lines);
}

TEST_CASE("request id: request_id.trust takes the client's, where its head can be read") {
  Logged wire("%L");
  wire.context.pool = server::make_exchange_pool(true);
  wire.context.answers_id = true;
  const std::string ask = get("/none", "X-Request-Id: abc-123\r\n");
  const Answer answer = answers(run(wire, {ask})).at(0);
  CHECK(field(answer) == "abc-123");
  CHECK(shown(answer.body) == "abc-123");
  // The next request of a connection does not inherit it, nor one that comes in pieces lose it.
  auto both = answers(run(wire, {ask + get("/none")}));
  CHECK(field(both.at(0)) == "abc-123");
  CHECK(is_own(field(both.at(1))));
  CHECK(field(answers(run(wire, {ask.substr(0, 40), ask.substr(40)})).at(0)) == "abc-123");
  CHECK(wire.lines().starts_with("abc-123\nabc-123\n"));
}

TEST_CASE("request id: HEAD announces the length of the page with it") {
  Wire wire;
  const auto page = answers(run(wire, {get("/none")})).at(0);
  const std::string head = "HEAD /none HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto bare = answers(run(wire, {head}), "H").at(0);
  CHECK(bare.has("Content-Length: " + std::to_string(page.body.size()) + "\r\n"));
}

TEST_CASE("request id: making it allocates nothing") {
  const auto before = allocations;
  RequestId id(true);
  CHECK(id.get({}).size() == RequestId::kSize);
  CHECK(allocations == before);
}

// SPDX-License-Identifier: Apache-2.0
// Heads that come again are not read again: nothing but the time that it takes may differ.
#include "wire.h"

#include <vector>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("session: the same head again gets the same answer, however it is cut") {
  for (std::string_view request : {
           "GET /see?q=1 HTTP/1.1\r\nHost: localhost:8080\r\nX-Long: "
           "0123456789012345678901234\r\n\r\n",
           "GET /hi/some%20one HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
           "GET http://other/see HTTP/1.1\r\nHost: x\r\n\r\n",
           "GET /see HTTP/1.7\r\nHost: x\r\nX-Tab: a\t\r\n\r\n",
           "GET /nope HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n",
           "GET /file HTTP/1.1\r\nHost: x\r\n\r\n",
           "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
           "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
       }) {
    CAPTURE(request);
    Wire w;
    Outcome once = w.run({request});
    Outcome seen = w.run_all_ways(repeated(request, 4));
    CHECK(seen.bytes == repeated(once.bytes, 4));
    CHECK_FALSE(seen.closes);
  }
}

TEST_CASE("session: a head that differs in a byte is another, wherever the byte is") {
  Wire w;
  const std::string usual = "GET /see HTTP/1.1\r\nHost: localhost\r\nX-A: 0123456789\r\n\r\n";
  for (std::size_t at = 0; at < usual.size(); ++at) {
    CAPTURE(at);
    std::string other = usual;
    other[at] = static_cast<char>(other[at] ^ 1);
    server::Session session(w.context, "127.0.0.1");
    std::string out;
    for (int i = 0; i < 3; ++i) session.on_bytes(usual, out);
    Wire fresh;
    std::string again;
    session.on_bytes(other, again);
    CHECK(without_date(again) == fresh.run({other}).bytes);
  }
}

TEST_CASE("session: a known head may be cut short, and go on in another way") {
  Wire w;
  const std::string usual = "GET /see HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n\r\n";
  std::string longer = usual.substr(0, usual.size() - 2) + "X-B: 2\r\n\r\n";
  server::Session session(w.context, "127.0.0.1");
  std::string out;
  for (int i = 0; i < 3; ++i) session.on_bytes(usual, out);
  out.clear();
  session.on_bytes(usual.substr(0, usual.size() - 2), out);
  CHECK(out.empty());
  session.on_bytes("X-B: 2\r\n\r\n", out);
  CHECK(without_date(out) == w.run({longer}).bytes);
}

TEST_CASE("session: a known head is of all connections, and says nothing of them") {
  Wire w;
  w.add("GET", "/peer", [](const Request& q) { return Response::text(std::string(q.peer())); });
  const std::string usual = "GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    for (std::string_view peer : {"192.0.2.1", "2001:db8::77"}) {
      server::Session session(w.context, peer);
      std::string out;
      session.on_bytes(usual, out);
      CHECK(answers(out).front().body == peer);
    }
  }
}

TEST_CASE("session: after a known head with Connection: close the connection ends") {
  Wire w;
  const std::string last = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (int i = 0; i < 4; ++i) {
    Outcome seen = w.run({last + last});
    CHECK(statuses(seen.bytes) == std::vector{200});
    CHECK(seen.closes);
  }
}

TEST_CASE("session: a route that is added, or middleware, holds for known heads too") {
  Wire w;
  const std::string usual = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
  auto ask = [&] { return statuses(w.run({usual}).bytes); };
  for (int i = 0; i < 3; ++i) CHECK(ask() == std::vector{404});
  w.router.fallback([](const Request&) { return Response(202); });
  for (int i = 0; i < 3; ++i) CHECK(ask() == std::vector{202});
  w.add("GET", "/later", [](const Request&) { return Response::text("now"); });
  for (int i = 0; i < 3; ++i) CHECK(ask() == std::vector{200});
  REQUIRE(w.router.before("/", [](const Request&) { return std::optional(Response(204)); }));
  for (int i = 0; i < 3; ++i) CHECK(ask() == std::vector{204});
}

TEST_CASE("session: HEAD, GET and OPTIONS of one length are not taken for each other") {
  Wire w;
  std::string rest = " /hello HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    auto all =
        answers(w.run({"HEAD" + rest + "GET" + rest + "HEAD" + rest + "PUT" + rest}).bytes, "HGHG");
    REQUIRE(all.size() == 4);
    CHECK(all[0].body.empty());
    CHECK(all[1].body == "hello\n");
    CHECK(all[2].head == all[0].head);
    CHECK(all[3].status == 405);
  }
}

TEST_CASE("session: a handler that answers later keeps a known head for itself") {
  Wire w;
  std::vector<ResponseWriter> waiting;
  std::vector<const Request*> requests;
  REQUIRE(w.router.add("GET", "/wait/:n", [&](const Request& q, ResponseWriter writer) {
    requests.push_back(&q);
    waiting.push_back(std::move(writer));
  }));
  const std::string usual = "GET /wait/1 HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<std::unique_ptr<server::Session>> sessions;
  std::string out;
  for (int i = 0; i < 4; ++i) {
    sessions.push_back(std::make_unique<server::Session>(w.context, "127.0.0.1"));
    sessions.back()->on_bytes(usual, out);
    REQUIRE(waiting.size() == sessions.size());
  }
  sessions[0].reset();  // the client leaves
  for (const Request* q : requests) CHECK(q->param("n") == "1");
  for (ResponseWriter& writer : waiting) (void)writer.respond(Response::text("done"));
  CHECK(out.empty());
  for (std::size_t i = 1; i < sessions.size(); ++i) sessions[i]->on_output(out);
  CHECK(statuses(out) == std::vector{200, 200, 200});
}

// SPDX-License-Identifier: Apache-2.0
// Requests and their exact answers.
#include "wire.h"

using namespace pronghorn;
using namespace pronghorn::test;
using Phase = server::Session::Phase;

namespace {

const std::string kGet = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string chunked(std::string_view body, std::string_view path = "/echo") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("session: a request is answered and the connection stays") {
  Wire w;
  Outcome o = w.run_all_ways(kGet);
  CHECK(o.bytes == kHello);
  CHECK_FALSE(o.closes);
  CHECK(o.phase == Phase::idle);
}

TEST_CASE("session: pipelined requests are answered in order") {
  Wire w;
  std::string bytes = kGet + post("/echo", "one") + "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" +
                      "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n" + chunked("3\r\ntwo\r\n0\r\n\r\n") +
                      kGet;
  Outcome o = w.run_all_ways(bytes);
  auto all = answers(o.bytes, "GPHGPG");
  REQUIRE(all.size() == 6);
  CHECK(all[0].body == "hello\n");
  CHECK(all[1].body == "one");
  CHECK(all[2].body.empty());
  CHECK(all[2].has("Content-Length: 6\r\n"));
  CHECK(all[3].status == 404);
  CHECK(all[4].body == "two");
  CHECK(all[5].body == "hello\n");
  CHECK_FALSE(o.closes);
}

TEST_CASE("session: a long pipeline is answered in batches of limits.pipeline") {
  Wire w;
  w.limits.pipeline = 4;
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += kGet;
  server::Session session(w.context, "::1");
  std::string out;
  session.on_bytes(bytes, out);
  CHECK(answers(out).size() == 4);
  CHECK_FALSE(session.wants_input());
  CHECK(session.phase() == Phase::answering);
  session.on_writable(out);
  CHECK(answers(out).size() == 8);
  session.on_eof(out);  // must not lose what is held back
  session.on_writable(out);
  CHECK(answers(out).size() == 10);
  CHECK(session.wants_close());
  CHECK_FALSE(session.needs_linger());
}

TEST_CASE("session: a batch ends early when its answers are large") {
  Wire w;
  w.limits.write_buffer = 200;
  server::Session session(w.context, "::1");
  std::string out;
  session.on_bytes(kGet + kGet + kGet, out);
  CHECK(answers(out).size() == 2);
  CHECK_FALSE(session.wants_input());
  out.clear();
  session.on_writable(out);
  CHECK(answers(out).size() == 1);
  CHECK(session.wants_input());
}

TEST_CASE("session: a good request before a bad one is answered, then the connection ends") {
  Wire w;
  Outcome o = w.run_all_ways(kGet + "GET /\r\n\r\n" + kGet);
  CHECK(statuses(o.bytes) == std::vector{200, 400});
  CHECK(o.closes);
  CHECK(answers(o.bytes)[1].has("Connection: close\r\n"));
}

TEST_CASE("session: nothing is processed after a request with close") {
  Wire w;
  std::string close = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  Outcome o = w.run_all_ways(close);
  CHECK(statuses(o.bytes) == std::vector{200});
  CHECK(o.closes);
  CHECK_FALSE(o.lingers);
  o = w.run({close + kGet});
  CHECK(statuses(o.bytes) == std::vector{200});
  CHECK(o.closes);
  CHECK(o.lingers);  // there is unread input
  CHECK(w.run_all_ways("GET /hello HTTP/1.0\r\n\r\n" + kGet).bytes ==
        kHello.substr(0, kHello.find("keep-alive")) + "close\r\n\r\nhello\n");
}

TEST_CASE("session: Connection is understood in every spelling") {
  Wire w;
  struct Row {
    const char* version;
    const char* fields;
    bool closes;
    const char* says;
  };
  for (auto [version, fields, closes, says] : {
           Row{"1.1", "", false, ""},
           Row{"1.1", "Connection: close\r\n", true, "close"},
           Row{"1.1", "Connection: CLOSE\r\n", true, "close"},
           Row{"1.1", "Connection:\tclose\t\r\n", true, "close"},
           Row{"1.1", "Connection: close \t \r\n", true, "close"},
           Row{"1.1", "Connection: ,, close ,\r\n", true, "close"},
           Row{"1.1", "Connection: keep-alive, close\r\n", true, "close"},
           Row{"1.1", "Connection: keep-alive\r\nConnection: close\r\n", true, "close"},
           Row{"1.1", "Connection: closed, xclose\r\n", false, ""},
           Row{"1.1", "Proxy-Connection: close\r\n", false, ""},
           Row{"1.1", "Connection: upgrade\r\nUpgrade: foo/2\r\n", false, ""},
           Row{"1.1", "Connection: upgrade\r\n", false, ""},
           Row{"1.0", "", true, "close"},
           Row{"1.0", "Connection: keep-alive\r\n", false, "keep-alive"},
           Row{"1.0", "Connection: Keep-Alive\t\r\n", false, "keep-alive"},
           Row{"1.0", "Connection: keep-alive, close\r\n", true, "close"},
           Row{"1.0", "Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\n", false, "keep-alive"},
           Row{"1.2", "", false, ""},
           Row{"1.9", "Connection: close\r\n", true, "close"},
       }) {
    CAPTURE(version);
    CAPTURE(fields);
    std::string request =
        std::string("GET /hello HTTP/") + version + "\r\nHost: x\r\n" + fields + "\r\n";
    Outcome o = w.run_all_ways(request + kGet);
    auto all = answers(o.bytes);
    CHECK(all.size() == (closes ? 1 : 2));
    CHECK(all[0].status == 200);
    CHECK(o.closes == closes);
    CHECK(all[0].has(std::string("\r\nConnection: ") + says + "\r\n") == (says[0] != 0));
  }
}

TEST_CASE("session: a draining server and the request limit say close") {
  Wire w;
  w.limits.requests_per_connection = 2;
  Outcome o = w.run_all_ways(kGet + kGet + kGet);
  auto all = answers(o.bytes);
  REQUIRE(all.size() == 2);
  CHECK(all[0].has("Connection: keep-alive\r\n"));
  CHECK(all[1].has("Connection: close\r\n"));
  CHECK(o.closes);
  CHECK(o.lingers);  // the client did not know that it would be the last
  w.limits.requests_per_connection = 0;
  w.context.draining = true;
  o = w.run_all_ways(kGet + kGet);
  CHECK(answers(o.bytes).size() == 1);
  CHECK(o.closes);
}

TEST_CASE("session: the end of input answers what is complete and refuses what is not") {
  Wire w;
  CHECK(w.run_all_ways(kGet, true).bytes == kHello);
  CHECK(w.run({kGet}, true).closes);
  CHECK(w.run({}, true).bytes.empty());
  CHECK(w.run({"\r\n"}, true).bytes.empty());
  CHECK(w.run({"GET / HTTP/1.1\r\r"}, true).bytes.empty());  // nothing was asked yet
  CHECK(statuses(w.run_all_ways(kGet + "GET / HT", true).bytes) == std::vector{200});
  CHECK(statuses(w.run_all_ways(kGet + "GET / HTTP/1.1\r\n", true).bytes) == std::vector{200, 400});
  CHECK(statuses(w.run_all_ways(post("/echo", "12345").substr(0, 54), true).bytes) ==
        std::vector{400});
  CHECK(statuses(w.run_all_ways(chunked("5\r\nhello\r\n"), true).bytes) == std::vector{400});
  w.calls = 0;
  Outcome o = w.run({"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"}, true);
  CHECK(w.calls == 0);
  CHECK(o.closes);
  CHECK_FALSE(o.lingers);  // the client has nothing more to say
}

TEST_CASE("session: a deadline refuses what was begun and closes what was idle") {
  Wire w;
  struct Row {
    const char* bytes;
    std::vector<int> answers;
    Phase phase;
  };
  for (const auto& [bytes, expected, phase] : {
           Row{"", {}, Phase::idle},
           Row{"\r\n", {}, Phase::idle},
           Row{"GET", {408}, Phase::head},
           Row{"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", {408}, Phase::body},
           Row{"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", {200}, Phase::idle},
       }) {
    CAPTURE(bytes);
    server::Session session(w.context, "::1");
    std::string out;
    session.on_bytes(bytes, out);
    CHECK(session.phase() == phase);
    session.on_timeout(out);
    CHECK(statuses(out) == expected);
    CHECK(session.wants_close());
    CHECK(w.counters.requests_active.get() == 0);
  }
}

TEST_CASE("session: a file follows its head, and input waits for it") {
  Wire w;
  std::string get = "GET /file HTTP/1.1\r\nHost: x\r\n\r\n";
  server::Session session(w.context, "::1");
  std::string out;
  session.on_bytes(get + kGet, out);
  CHECK(session.phase() == Phase::answering);
  CHECK(w.counters.requests_active.get() == 1);
  auto file = session.take_file();
  REQUIRE(file);
  CHECK(file->offset == 3);
  CHECK(file->length == 1000);
  CHECK_FALSE(session.take_file());
  CHECK(out.ends_with("\r\n\r\n"));
  CHECK(out.contains("Content-Length: 1000\r\n"));
  out.clear();
  session.on_file_sent(out);
  CHECK(without_date(out) == kHello);
  CHECK(session.wants_input());
  CHECK(w.counters.requests_active.get() == 0);

  Outcome o = w.run_all_ways("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  CHECK(o.bytes.contains("Content-Length: 1000\r\n"));
  CHECK_FALSE(o.bytes.contains("FILE"));
  o = w.run({"GET /empty-file HTTP/1.1\r\nHost: x\r\n\r\n" + kGet});
  CHECK(statuses(o.bytes) == std::vector{200, 200});
  w.calls = 0;
  o = w.run({get + get, get + "GET /file HTTP/1.0\r\n\r\n" + kGet}, true);
  CHECK(w.calls == 4);  // none twice
  CHECK(o.closes);
  CHECK_FALSE(o.bytes.contains("hello"));
  w.run_all_ways(get + get + "GET /file HTTP/1.0\r\n\r\n" + kGet, true);
}

TEST_CASE("session: methods without a route are told what there is") {
  Wire w;
  auto one = [&](const std::string& line, std::string_view methods = "G") {
    Outcome o = w.run_all_ways(line + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return answers(o.bytes, methods).at(0);
  };
  Answer a = one("DELETE /hello");
  CHECK(a.status == 405);
  CHECK(a.has("Allow: GET, HEAD, OPTIONS\r\n"));
  a = one("OPTIONS /hello");
  CHECK(a.status == 204);
  CHECK(a.has("Allow: GET, HEAD, OPTIONS\r\n"));
  CHECK_FALSE(a.has("Content-Length"));
  a = one("OPTIONS *");
  CHECK(a.status == 204);
  CHECK(a.has("Allow: GET, HEAD, "));
  a = one("OPTIONS http://x");
  CHECK(a.status == 204);
  CHECK(one("OPTIONS /nope").status == 404);
  a = one("TRACE /echo");
  CHECK(a.status == 405);
  CHECK(a.has("Allow: GET, HEAD, DELETE, POST, PUT, OPTIONS, PATCH\r\n"));
  CHECK(one("TRACE /nope").status == 501);
  CHECK(one("HEAD /nope", "H").status == 404);
  CHECK(one("FOOBAR /hello").status == 501);
  CHECK(one("get /hello").status == 501);
}

TEST_CASE("session: CONNECT is refused and what follows is not a request") {
  Wire w;
  Outcome o = w.run_all_ways("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" + kGet);
  CHECK(statuses(o.bytes) == std::vector{501});
  CHECK(o.closes);
}

TEST_CASE("session: what a handler does wrong is a 500 and nothing else") {
  Wire w;
  w.add("GET", "/value",
        [](const Request&) { return Response::text("x").header("X-A", "a\r\nb: c"); });
  w.add("GET", "/nul", [](const Request&) {
    return Response::text("x").header("X-A",
                                      std::string_view("a\0b", 3).data() + std::string("\0", 1));
  });
  w.add("GET", "/name", [](const Request&) { return Response::text("x").header("X A", "b"); });
  w.add("GET", "/no-name", [](const Request&) { return Response::text("x").header("", "b"); });
  w.add("GET", "/type", [](const Request&) { return Response().type("a\nb"); });
  w.add("GET", "/status", [](const Request&) { return Response(99); });
  w.add("GET", "/interim", [](const Request&) { return Response(101); });
  for (const char* path : {"/throw", "/throw-int", "/value", "/nul", "/name", "/no-name", "/type",
                           "/status", "/interim"}) {
    CAPTURE(path);
    Outcome o = w.run({std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n" + kGet});
    CHECK(statuses(o.bytes) == std::vector{500, 200});  // the connection is fine
    CHECK_FALSE(o.bytes.contains("X-A"));
  }
  CHECK(w.counters.requests_failed.get() == 9);
  CHECK(w.counters.in_hand.text().empty());
}

TEST_CASE("session: framing fields of a handler are ignored") {
  Wire w;
  w.add("GET", "/own", [](const Request&) {
    return Response::text("abc")
        .header("Content-Length", "7")
        .header("transfer-encoding", "chunked")
        .header("Connection", "upgrade")
        .header("Date", "never")
        .header("X-Kept", "yes")
        .header("Keep-Alive", "timeout=5")
        .header("content-type", "text/css");
  });
  CHECK(w.run({"GET /own HTTP/1.1\r\nHost: x\r\n\r\n"}).bytes ==
        "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nDate: -\r\nContent-Length: 3\r\n"
        "Content-Type: text/css\r\nX-Kept: yes\r\nConnection: keep-alive\r\n\r\nabc");
}

TEST_CASE("session: statuses without content have none") {
  Wire w;
  w.add("GET", "/s/:code", [](const Request& q) {
    return Response::text("body").status(std::stoi(std::string(q.param("code"))));
  });
  auto get = [&](const std::string& code) {
    return w.run({"GET /s/" + code + " HTTP/1.1\r\nHost: x\r\n\r\n" + kGet}).bytes;
  };
  for (const char* code : {"204", "304"}) {
    CHECK_FALSE(answers(get(code)).at(0).has("\r\nContent-"));
    CHECK(statuses(get(code)) == std::vector{std::stoi(code), 200});
  }
  CHECK(answers(get("205")).at(0).has("Content-Length: 0\r\n"));
  CHECK(answers(get("299")).at(0).body == "body");
}

TEST_CASE("session: the views of a request hold until its body is here") {
  Wire w;
  w.add("POST", "/form/:a/*rest", [](const Request& q) {
    return Response::text(std::string(q.param("a")) + "," + std::string(q.param("rest")) + "," +
                          std::string(q.query()) + "," + std::string(q.header("x-one")) + "," +
                          std::string(q.host()) + "," + std::string(q.body()));
  });
  Outcome o = w.run_all_ways(post("/form/a%20b/c/d%2Fe?q=1", "hello", "X-One: \t1 \r\n"));
  CHECK(answers(o.bytes).at(0).body == "a b,c/d/e,q=1,1,x,hello");
  o = w.run_all_ways(chunked("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "/form/a/b?q"));
  CHECK(answers(o.bytes).at(0).body == "a,b,q,,x,hello");
}

TEST_CASE("session: requests are counted") {
  Wire w;
  w.run({kGet + "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n" + "bad\r\n"});
  CHECK(w.counters.requests.get() == 3);
  CHECK(w.counters.requests_active.get() == 0);
  {
    server::Session session(w.context, "::1");
    std::string out;
    session.on_bytes("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12", out);
    CHECK(w.counters.requests_active.get() == 1);
    CHECK(session.body_received() == 2);
  }
  CHECK(w.counters.requests_active.get() == 0);  // the client left
}

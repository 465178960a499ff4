// SPDX-License-Identifier: Apache-2.0
// What the access log is told of answers that take their time, are cut, or never come: each request
// is one line, with what was handed to the kernel, when it was.
#include "later.h"
#include "logged.h"

#include <optional>
#include <string>

using namespace pronghorn;
using namespace pronghorn::test;
using Phase = server::Session::Phase;

namespace {

using Logged = LoggedBy<Later>;

std::string get(std::string_view path, std::string_view fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

/// GET /w leaves its writer in `writers`.
void leave_writer(Logged& l) {
  l.on("*", "/w", [&l](const Request&, ResponseWriter w) { l.writers.emplace("w", std::move(w)); });
}

/// GET /big answers 100,000 bytes that are in the output, with their head.
void add_big(Logged& l) {
  l.add("GET", "/big", [](const Request&) { return Response::text(std::string(100'000, 'b')); });
}

}  // namespace

TEST_CASE("session log: a file is logged when its last byte has gone, not before") {
  Logged l("%U %>s %B %O %X %k %{user-agent}i %{content-length}o");
  server::Session session(l.context, "127.0.0.1");
  std::string out;
  std::string bytes = get("/file", "User-Agent: me\r\n");
  session.on_bytes(bytes, out);
  std::size_t head = out.size();
  bytes.assign(bytes.size(), '#');  // the receive buffer has other bytes now
  REQUIRE(session.take_file());
  CHECK(l.lines().empty());
  session.on_file_sent(out);
  CHECK(l.lines() == "/file 200 1000 " + std::to_string(head + 1000) + " + 0 me 1000\n");
  session.on_cut(0);
  CHECK(count_of_text(l.lines(), "\n") == 1);
  CHECK(l.counters.requests_active.get() == 0);
}

TEST_CASE("session log: of a file that is cut, what was sent") {
  Logged l("%U %>s %B %O %X %k");
  server::Session session(l.context, "127.0.0.1");
  std::string out;
  session.on_bytes(get("/file"), out);
  std::size_t head = out.size();
  SUBCASE("within the file") {
    REQUIRE(session.take_file());
    session.on_cut(300);
    CHECK(l.lines() == "/file 200 700 " + std::to_string(head + 700) + " X 0\n");
  }
  SUBCASE("before the file, within the head") {
    session.on_cut(10);
    CHECK(l.lines() == "/file 200 0 " + std::to_string(head - 10) + " X 0\n");
  }
  SUBCASE("before the head, with answers before it unsent as well") {
    session.on_cut(head + 50);
    CHECK(l.lines() == "/file 200 0 0 X 0\n");
  }
  session.on_cut(5);
  CHECK(count_of_text(l.lines(), "\n") == 1);
  CHECK(l.counters.requests_active.get() == 0);
}

TEST_CASE("session log: a long text waits for the kernel as a file does, and order is kept") {
  Logged l("%U %B %X %k");
  add_big(l);
  server::Session session(l.context, "127.0.0.1");
  std::string out;
  session.on_bytes(get("/hello") + get("/big") + get("/hello"), out);
  CHECK(l.lines() == "/hello 6 + 0\n");
  CHECK(session.phase() == Phase::answering);
  CHECK(session.wants_writable());
  SUBCASE("taken") {
    out.clear();
    session.on_writable(out);
    CHECK(l.lines() == "/hello 6 + 0\n/big 100000 + 1\n/hello 6 + 2\n");
    CHECK(statuses(out) == std::vector{200});
    CHECK(session.phase() == Phase::idle);
  }
  SUBCASE("cut") {
    session.on_cut(40'000);
    CHECK(l.lines() == "/hello 6 + 0\n/big 60000 X 1\n");
  }
}

TEST_CASE(
    "session log: while the client takes nothing, a small answer is logged when it has gone") {
  Logged l("%U %O %X");
  Talk talk(l);
  talk.unsent = 10;  // of an earlier answer
  talk.send(get("/hello"));
  CHECK(l.lines().empty());
  auto size = talk.out.size();
  SUBCASE("taken") {
    talk.unsent = 0;
    talk.settle();
    CHECK(l.lines() == "/hello " + std::to_string(size) + " +\n");
  }
  SUBCASE("cut") {
    talk.session.on_cut(talk.unsent + size);
    CHECK(l.lines() == "/hello 0 X\n");
  }
}

TEST_CASE("session log: a streamed answer is logged when its end has gone") {
  Logged l("%>s %B %O %X");
  leave_writer(l);
  Talk talk(l);
  talk.send(get("/w"));
  auto& w = l.writers.at("w");
  CHECK(w.start(Response(201)));
  CHECK(w.write("12345"));
  CHECK(w.write("678"));
  talk.settle();
  CHECK(l.lines().empty());
  SUBCASE("whole: chunks are bytes of the answer, and none of its body") {
    CHECK(w.end());
    talk.settle();
    CHECK(l.lines() == "201 8 " + std::to_string(talk.out.size()) + " +\n");
  }
  SUBCASE("whole, and its client slow") {
    talk.unsent = 8;
    CHECK(w.end());
    talk.settle();
    CHECK(l.lines().empty());
    SUBCASE("but there") {
      talk.unsent = 0;
      talk.settle();
      CHECK(l.lines() == "201 8 " + std::to_string(talk.out.size()) + " +\n");
    }
    SUBCASE("and gone: the last chunk is 5 bytes, the one before it 8") {
      talk.session.on_cut(13);
      CHECK(l.lines().ends_with(" " + std::to_string(talk.out.size() - 13) + " X\n"));
    }
  }
  SUBCASE("its client left meanwhile") {
    talk.session.on_cut(0);
    CHECK(l.lines() == "201 8 " + std::to_string(talk.out.size()) + " X\n");
  }
  SUBCASE("its handler let go of it") {
    l.writers.clear();
    talk.settle();
    CHECK(l.lines() == "201 8 " + std::to_string(talk.out.size()) + " X\n");
  }
  SUBCASE("its handler let go of it, and then the client of the connection") {
    talk.unsent = 8;
    l.writers.clear();
    talk.settle();
    CHECK(l.lines().empty());
    talk.session.on_cut(8);
    CHECK(l.lines().ends_with(" " + std::to_string(talk.out.size() - 8) + " X\n"));
  }
  talk.session.on_cut(0);
  CHECK(count_of_text(l.lines(), "\n") == 1);
  CHECK(l.counters.requests_active.get() == 0);
}

TEST_CASE("session log: a client that leaves before anything is answered is 499") {
  Logged l("%m %U %>s %B %O %X %k");
  leave_writer(l);
  SUBCASE("while the handler works") {
    Talk talk(l);
    talk.send(get("/hello") + get("/w"));
    talk.session.on_cut(0);
    CHECK(l.lines().ends_with("+ 0\nGET /w 499 0 0 X 1\n"));
  }
  SUBCASE("while it sends the body, after our 100") {
    Talk talk(l);
    talk.send(
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    CHECK(talk.out == "HTTP/1.1 100 Continue\r\n\r\n");
    talk.session.on_cut(0);
    CHECK(l.lines() == "POST /form 499 0 25 X 0\n");
  }
  SUBCASE("when the 100 could not be sent either") {
    Talk talk(l);
    talk.send(
        "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    talk.session.on_cut(25);
    CHECK(l.lines() == "POST /form 499 0 0 X 0\n");
  }
  SUBCASE("a handler's own 499 is an answer") {
    l.add("GET", "/499", [](const Request&) { return Response(499).body("x"); });
    Talk talk(l);
    talk.send(get("/499"));
    CHECK(l.lines() == "GET /499 499 1 " + std::to_string(talk.out.size()) + " + 0\n");
  }
  SUBCASE("within a head there is no request yet") {
    Talk talk(l);
    talk.send("GET /hello HTTP/1.1\r\nHost");
    talk.session.on_cut(0);
    CHECK(l.lines().empty());
  }
  CHECK(l.counters.requests_active.get() == 0);
}

TEST_CASE("session log: what comes before the answer is part of what was sent") {
  Logged l("%>s %B %O %I");
  leave_writer(l);
  Talk talk(l);
  const std::string head =
      "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  talk.send(head);
  talk.send("hello");
  CHECK(l.lines() ==
        "200 5 " + std::to_string(talk.out.size()) + " " + std::to_string(head.size() + 5) + "\n");
  talk.out.clear();
  talk.send(get("/w"));
  CHECK(l.writers.at("w").informational(103, {{"Link", "</a.css>; rel=preload"}}));
  CHECK(l.writers.at("w").respond(Response::text("hi")));
  talk.settle();
  CHECK(talk.out.starts_with("HTTP/1.1 103 "));
  CHECK(l.lines().ends_with("\n200 2 " + std::to_string(talk.out.size()) + " " +
                            std::to_string(get("/w").size()) + "\n"));
}

TEST_CASE("session log: chunk lines, extensions and trailers are bytes of the request") {
  Logged l("%>s %B %I");
  const std::string request =
      "POST /form HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n";
  const std::string line = "200 6 " + std::to_string(request.size()) + "\n";
  for (std::size_t cut = 0; cut < request.size(); ++cut) {
    CAPTURE(cut);
    Talk talk(l);
    talk.send(request.substr(0, cut));
    talk.send(request.substr(cut));
  }
  std::string all;
  for (std::size_t i = 0; i < request.size(); ++i) all += line;
  CHECK(l.lines() == all);
}

TEST_CASE("session log: a head that is rewritten for the parser counts as it came") {
  Logged l("%I");
  Talk talk(l);
  const std::string request = "GET /hello HTTP/1.7\r\nHost: x\r\nA: b \t \r\n\r\n";
  talk.send(request);
  CHECK(l.lines() == std::to_string(request.size()) + "\n");
}

TEST_CASE("session log: answers without a body have none, whatever their head says") {
  Logged l("%m %>s %B %b");
  l.add("GET", "/304", [](const Request&) { return Response(304).header("ETag", "\"a\""); });
  l.add("GET", "/205", [](const Request&) { return Response(205).body("no"); });
  add_big(l);
  Talk talk(l);
  talk.send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\nHEAD /big HTTP/1.1\r\nHost: x\r\n\r\n" +
            get("/304") + get("/205") + get("/empty-file"));
  CHECK(l.lines() == "HEAD 200 0 -\nHEAD 200 0 -\nGET 304 0 -\nGET 205 0 -\nGET 200 0 -\n");
}

TEST_CASE("session log: an upgrade is a line when it is answered, and none at its end") {
  Logged l("%>s %O %X");
  std::optional<UpgradedStream> stream;
  bool at_once = false;
  l.on("GET", "/up", [&](const Request&, ResponseWriter w) {
    auto taken = w.upgrade(Response().header("Upgrade", "echo"));
    REQUIRE(taken);
    if (!at_once) stream.emplace(std::move(*taken));
  });
  Talk talk(l);
  const std::string request = get("/up", "Connection: Upgrade\r\nUpgrade: echo\r\n");
  SUBCASE("taken over") {
    talk.send(request);
    auto head = std::to_string(talk.out.size());
    CHECK(l.lines() == "101 " + head + " -\n");
    talk.send("bytes");
    CHECK(stream->write("more"));
    talk.settle();
    talk.session.on_cut(2);
    CHECK(l.lines() == "101 " + head + " -\n");
  }
  SUBCASE("let go of before its 101 is out") {
    at_once = true;
    talk.send(request);
    CHECK(talk.session.needs_reset());
    talk.session.on_cut(talk.out.size());
    CHECK(count_of_text(l.lines(), "\n") == 1);
    CHECK(l.lines().ends_with(" X\n"));
  }
}

TEST_CASE("session log: what is no request is logged once, and cut as an answer is") {
  Logged l("\"%r\" %>s %X %k");
  Talk talk(l);
  talk.send(get("/hello"));
  SUBCASE("taken") {
    talk.send("GARBAGE\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(l.lines() == "\"GET /hello HTTP/1.1\" 200 + 0\n\"-\" 400 - 1\n");
  }
  SUBCASE("cut") {
    talk.unsent = 100;
    talk.send("GET /a b HTTP/1.1\r\n\r\n");
    talk.session.on_cut(100 + talk.out.size());
    CHECK(count_of_text(l.lines(), "\n") == 2);
    CHECK(l.lines().ends_with(" 400 X 1\n"));
  }
  talk.session.on_cut(0);
  CHECK(count_of_text(l.lines(), "\n") == 2);
}

TEST_CASE("session log: a refusal that waits for the kernel is not answered again by its handler") {
  Logged l("%>s");
  leave_writer(l);
  Talk talk(l);
  talk.send(get("/w"));
  talk.unsent = 10;
  talk.session.on_timeout(talk.out);
  CHECK(talk.session.phase() == Phase::answering);
  CHECK(l.writers.at("w").respond(Response::text("late")).has_value());
  talk.settle();
  CHECK(count_of_text(talk.out, "HTTP/1.1 ") == 1);
  talk.unsent = 0;
  talk.settle();
  CHECK(l.lines() == "503\n");
  CHECK(talk.session.wants_close());
}

TEST_CASE("session: what a client leaves is counted once, with a log and without one") {
  for (const bool is_logged : {false, true}) {
    CAPTURE(is_logged);
    Logged l("%s");
    if (!is_logged) l.context.access_log = nullptr;
    leave_writer(l);
    SUBCASE("before anything was answered") {
      Talk talk(l);
      talk.send(get("/w"));
      talk.session.on_cut(0);
      talk.session.on_cut(0);
      CHECK(l.counters.requests.get() == 1);
      CHECK(l.lines() == (is_logged ? "499\n" : ""));
    }
    SUBCASE("within an answer in pieces") {
      Talk talk(l);
      talk.send(get("/w"));
      CHECK(l.writers.at("w").start(Response(201)));
      talk.settle();
      CHECK(l.counters.requests.get() == 0);
      talk.session.on_cut(0);
      CHECK(l.counters.requests.get() == 1);
    }
    SUBCASE("within a file, whose answer was counted when it began") {
      server::Session session(l.context, "127.0.0.1");
      std::string out;
      session.on_bytes(get("/hello") + get("/file"), out);
      CHECK(l.counters.requests.get() == 2);
      session.on_cut(10);
      CHECK(l.counters.requests.get() == 2);
    }
    SUBCASE("before its head is whole, which is no request") {
      server::Session session(l.context, "127.0.0.1");
      std::string out;
      session.on_bytes("GET / HT", out);
      session.on_cut(0);
      CHECK(l.counters.requests.get() == 0);
    }
    CHECK(l.counters.requests_active.get() == 0);
    CHECK(l.counters.requests_failed.get() == 0);
    l.writers.clear();
  }
}

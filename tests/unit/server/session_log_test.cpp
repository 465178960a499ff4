// SPDX-License-Identifier: Apache-2.0
// What a session tells the access log, by the lines that come of it.
#include "logged.h"
#include "wire.h"

#include <string>

using namespace pronghorn;
using Logged = test::LoggedBy<test::Wire>;

TEST_CASE("session log: request line, status and bytes are those of the wire") {
  Logged wire("%h \"%r\" %>s %B %I %O %V");
  const std::string request = "GET /hello?a=b HTTP/1.1\r\nHost: example.org:80\r\n\r\n";
  auto outcome = wire.run({request});
  // The date has 29 bytes, and one in its place.
  CHECK(wire.lines() == "127.0.0.1 \"GET /hello?a=b HTTP/1.1\" 200 6 " +
                            std::to_string(request.size()) + " " +
                            std::to_string(outcome.bytes.size() + 28) + " example.org:80\n");
}

TEST_CASE("session log: the protocol as it was asked for") {
  Logged wire("\"%r\" %H %>s");
  wire.run({"GET / HTTP/2.0\r\nHost: x\r\n\r\n"});
  wire.run({"GET /hello HTTP/1.0\r\n\r\n"});
  CHECK(wire.lines() == "\"GET / HTTP/2.0\" HTTP/2.0 505\n\"GET /hello HTTP/1.0\" HTTP/1.0 200\n");
}

TEST_CASE("session log: HEAD has no body, an error its page, a file its length") {
  Logged wire("%m %U %>s %B");
  wire.run({"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"});
  wire.run({"GET /file HTTP/1.1\r\nHost: x\r\n\r\n"});
  wire.run({"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"});
  auto lines = wire.lines();
  CHECK(lines.starts_with("HEAD /hello 200 0\nGET /file 200 1000\nGET /nowhere 404 "));
}

TEST_CASE("session log: a request that is no request has a dash and its status") {
  Logged wire("\"%r\" %>s %X %k");
  wire.run({"GARBAGE\r\n\r\n"});
  wire.run({"GET / HTTP/1.1\r\n\r\n"});
  CHECK(wire.lines() == "\"-\" 400 - 0\n\"GET / HTTP/1.1\" 400 - 0\n");
}

TEST_CASE("session log: requests of one connection are counted, and the last closes it") {
  Logged wire("%U %k %X");
  wire.run(
      {"GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
       "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"});
  CHECK(wire.lines() == "/hello 0 +\n/hello 1 +\n/hello 2 -\n");
}

TEST_CASE("session log: fields of the request and of the answer as sent") {
  Logged wire("%{user-agent}i|%{Referer}i|%{content-type}o|%{Content-Length}o|%{Location}o");
  wire.run({"GET /hello HTTP/1.1\r\nHost: x\r\nUser-Agent: a \"b\"\r\n\r\n"});
  CHECK(wire.lines() == "a \\x22b\\x22|-|text/plain; charset=utf-8|6|-\n");
}

TEST_CASE("session log: the body of a request counts as received, also in pieces") {
  Logged wire("%m %>s %B %I");
  const std::string request = "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  wire.run({request});
  wire.run({request.substr(0, 20), request.substr(20, 33), request.substr(53)});
  const std::string line = "POST 200 5 " + std::to_string(request.size()) + "\n";
  CHECK(wire.lines() == line + line);
}

// SPDX-License-Identifier: Apache-2.0
// Every limit has a number and a test (config::Limits), just below it and just above.
#include "wire.h"

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

std::string repeat(std::string_view text, std::size_t n) {
  std::string all;
  while (n-- > 0) all += text;
  return all;
}
int only_status(const Outcome& o) {
  auto all = statuses(o.bytes);
  REQUIRE(all.size() == 1);
  return all[0];
}
std::string chunked(const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("limits: the request target") {
  Wire w;
  auto get = [](std::size_t n) {
    return "GET /hello?" + std::string(n - 7, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  CHECK(only_status(w.run({get(8192)})) == 200);
  CHECK(only_status(w.run({get(8193)})) == 414);
  CHECK(only_status(w.run({get(100'000)})) == 414);
  CHECK(only_status(w.run({"GET /" + std::string(100'000, 'a')})) == 414);
  CHECK(only_status(w.run({std::string(200'000, 'A')})) == 414);
  CHECK(only_status(w.run({std::string(50, 'A') + " / HTTP/1.1\r\nHost: x\r\n\r\n"})) == 501);
  w.limits.uri = 20;
  for (std::size_t n = 15; n < 100; ++n)
    CHECK(only_status(w.run_all_ways(get(n))) == (n <= 20 ? 200 : 414));
}

TEST_CASE("limits: field lines, their number and the whole head") {
  Wire w;
  w.limits.header_line = 40;
  w.limits.header_fields = 5;
  w.limits.head = 160;
  auto get = [](const std::string& fields) {
    return "GET /hello HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
  };
  CHECK(only_status(w.run_all_ways(get("X: " + std::string(37, 'a') + "\r\n"))) == 200);
  CHECK(only_status(w.run_all_ways(get("X: " + std::string(38, 'a') + "\r\n"))) == 431);
  CHECK(only_status(w.run_all_ways(get(std::string(50, 'a')))) == 431);
  CHECK(only_status(w.run_all_ways(get(repeat("X: a\r\n", 4)))) == 200);
  CHECK(only_status(w.run_all_ways(get(repeat("X: a\r\n", 5)))) == 431);
  // The empty line ends at byte 160 exactly, then one later.
  std::string three = repeat("X: " + std::string(33, 'a') + "\r\n", 3);
  CHECK(get(three).size() == 146);
  CHECK(only_status(w.run_all_ways(get(three + "X: 456789012\r\n"))) == 200);
  CHECK(only_status(w.run_all_ways(get(three + "X: 4567890123\r\n"))) == 431);
  // The answer does not depend on which fault is seen first.
  CHECK(only_status(w.run_all_ways(get(" " + std::string(50, 'a') + "\r\n"))) == 431);
  w.limits = {};
  CHECK(only_status(w.run({get("X: " + std::string(300'000, 'a'))})) == 431);
  CHECK(only_status(w.run({get(repeat("X: a\r\n", 50'000))})) == 431);
  CHECK(only_status(w.run({get(repeat("X: a\r\n", 99))})) == 200);
}

TEST_CASE("limits: an endless head is refused without being stored") {
  Wire w;
  server::Session session(w.context, "::1");
  std::string out;
  std::size_t sent = 0;
  for (session.on_bytes("GET / HTTP/1.1\r\nX: ", out); session.wants_input(); ++sent)
    session.on_bytes("a", out);
  CHECK(sent == w.limits.header_line - 1);
  CHECK(statuses(out) == std::vector{431});
}

TEST_CASE("limits: the body, by its length and as it comes") {
  Wire w;
  w.limits.body = 10;
  auto post = [](std::size_t n) {
    return "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(n) + "\r\n\r\n" +
           std::string(n, 'a');
  };
  CHECK(only_status(w.run_all_ways(post(10))) == 200);
  CHECK(only_status(w.run_all_ways(post(11))) == 413);
  CHECK(only_status(w.run_all_ways(chunked("5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n"))) == 200);
  CHECK(only_status(w.run_all_ways(chunked("5\r\nhello\r\n6\r\nhello!\r\n0\r\n\r\n"))) == 413);
  CHECK(only_status(w.run_all_ways(chunked("b\r\nhello"))) == 413);
  w.limits.body = 1024 * 1024;
  std::string big = chunked("100000\r\n" + std::string(1024 * 1024, 'a') + "\r\n0\r\n\r\n");
  CHECK(answers(w.run({big}).bytes).at(0).body.size() == 1024 * 1024);
}

TEST_CASE("limits: chunk extensions") {
  Wire w;
  w.limits.chunk_extensions = 50;
  // 34 bytes a chunk are granted beyond the limit: 16 digits, CRLF, and 16 more.
  CHECK(only_status(w.run_all_ways(
            chunked("5;" + std::string(50 + 34 - 4, 'a') + "\r\nhello\r\n0\r\n\r\n"))) == 200);
  CHECK(only_status(w.run_all_ways(
            chunked("5;" + std::string(50 + 34 - 3, 'a') + "\r\nhello\r\n0\r\n\r\n"))) == 400);
  CHECK(only_status(w.run_all_ways(chunked(std::string(90, '0') + "5\r\nhello\r\n0\r\n\r\n"))) ==
        400);
  CHECK(only_status(w.run({chunked(repeat("1;1234567890123456\r\na\r\n", 1000) + "0\r\n\r\n")})) ==
        200);
  CHECK(only_status(w.run({chunked(repeat("1;" + std::string(40, 'a') + "\r\na\r\n", 1000) +
                                   "0\r\n\r\n")})) == 400);
}

TEST_CASE("limits: trailers") {
  Wire w;
  w.limits.trailers = 20;
  w.limits.header_fields = 3;
  auto with = [](const std::string& trailers) { return chunked("0\r\n" + trailers + "\r\n"); };
  CHECK(only_status(w.run_all_ways(with("X: 456789012345678\r\n"))) == 200);
  CHECK(only_status(w.run_all_ways(with("X: 45678901234567890\r\n"))) == 431);
  CHECK(only_status(w.run_all_ways(with("X: 4567890(23456789012\r\n"))) == 431);
  CHECK(only_status(w.run_all_ways(with("X(: 567890123456789012\r\n"))) == 400);
  CHECK(only_status(w.run_all_ways(with("A:\r\nA:\r\nA:\r\n"))) == 200);
  CHECK(only_status(w.run_all_ways(with("A:\r\nA:\r\nA:\r\nA:\r\n"))) == 431);
  w.limits.trailers = 0;
  CHECK(only_status(w.run_all_ways(with(""))) == 200);
  CHECK(only_status(w.run_all_ways(with("A:\r\n"))) == 431);
}

TEST_CASE("limits: what an idle session owns") {
  MESSAGE("sizeof Session: " << sizeof(server::Session));
  CHECK(sizeof(server::Session) <= 56);
}

// SPDX-License-Identifier: Apache-2.0
// Plain heads are read in one walk; what is taken so is what the head check and llhttp make of it,
// and what is out of the ordinary is left to them.
#include "tests/fuzz/same_head.h"
#include "wire.h"

#include <string>
#include <string_view>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

config::Limits small_limits() {
  config::Limits limits;
  limits.head = 400;
  limits.header_line = 120;
  limits.header_fields = 8;
  limits.uri = 70;
  return limits;
}

/// In memory of just that size.
Plain read(std::string_view bytes, const config::Limits& limits = small_limits()) {
  const std::vector<char> moved(bytes.begin(), bytes.end());
  return read_both_ways({moved.data(), moved.size()}, limits);
}

const std::string kShort = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string kBrowser =
    "HEAD /a/b%20c.html?q=1&r={x}%2 HTTP/1.1\r\nhost: example.org:8080\r\nUser-Agent: Mozilla/5.0 "
    "(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\nAccept:*/*\r\nCookie:  "
    "a=\xc3\xa9 "
    " \r\nX-Empty:\r\nConnection: Keep-Alive\r\n\r\n";

// Of each kind that some part of a head tells from others.
constexpr std::string_view kTricky{"\0\t\n\r \"#%,/:?@\\G[a{~\x1f\x7f\x80\xff", 23};

std::string field(const std::string& line) {
  return "GET /see HTTP/1.1\r\nHost: x\r\n" + line + "\r\n\r\n";
}
std::string line(const std::string& text) { return text + "\r\nHost: localhost\r\n\r\n"; }

}  // namespace

TEST_CASE("plain head: taken as soon as it is whole, whatever follows") {
  if (!server::can_read_plain_heads()) return;
  for (const std::string& head : {kShort, kBrowser, field("Upgrade-Insecure-Requests: 1"),
                                  field("X-A: 1\r\nX-A: 2"), line("GET /%41%42%43?%00 HTTP/1.1")}) {
    CAPTURE(head);
    for (std::size_t size = 0; size < head.size(); ++size) {
      CAPTURE(size);
      CHECK(read(head.substr(0, size)) == Plain::no);
    }
    for (std::size_t more = 0; more < 40; ++more) {
      CHECK(read(head + kBrowser.substr(0, more)) == Plain::same);
    }
  }
}

TEST_CASE("plain head: any byte anywhere in it makes no other head of it") {
  for (const std::string& head : {kShort, kBrowser}) {
    for (std::size_t at = 0; at < head.size(); ++at) {
      for (char byte : kTricky) {
        std::string other = head;
        other[at] = byte;
        if (read(other) == Plain::differs) FAIL_CHECK("byte " << int{byte} << " at " << at);
        other = head;
        other.insert(at, 1, byte);
        if (read(other) == Plain::differs) FAIL_CHECK("byte " << int{byte} << " before " << at);
      }
    }
  }
}

TEST_CASE("plain head: what is out of the ordinary is left to the head check and llhttp") {
  for (const std::string& head : {
           line("GET / HTTP/1.0"),
           line("GET / HTTP/1.2"),
           line("get / HTTP/1.1"),
           line("POST / HTTP/1.1"),
           line("GET  / HTTP/1.1"),
           line("GET /  HTTP/1.1"),
           line("GET http://x/ HTTP/1.1"),
           line("GET * HTTP/1.1"),
           line("GET /%00 HTTP/1.1"),
           line("GET /%4 HTTP/1.1"),
           line("GET /%g0 HTTP/1.1"),
           line("GET /#a HTTP/1.1"),
           line("GET /?#a HTTP/1.1"),
           line("GET /\"a HTTP/1.1"),
           line("GET /\x80 HTTP/1.1"),
           line("GET / HTTP/1.1 "),
           field("Host: x"),
           field("hOst: x"),
           field("Content-Length: 0"),
           field("content-LENGTH: 5"),
           field("Transfer-Encoding: chunked"),
           field("Upgrade: h2c"),
           field("Connection: close"),
           field("Connection: keep-alive, close"),
           field("Connection:"),
           field("Proxy-Connection: close"),
           field("Expect: 100-continue"),
           field(" folded: x"),
           field("X-A : 1"),
           field("X-A"),
           field(": 1"),
           field("X-A: 1\t"),
           field("X-A: a\tb"),
           field(std::string("X-A: a\0b", 8)),
           field("X-A: \x7f"),
           field("X-A: a\rb"),
           field("X-A: a\nX-B: b"),
           field("X-A: 1\r\r"),
           field("X(: 1"),
           std::string("GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a,b.example.org\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: \r\nAccept: text/html\r\n\r\n"),
           std::string("GET / HTTP/1.1\nHost: localhost.localhost\n\n"),
       }) {
    CAPTURE(head);
    CHECK(read(head) == Plain::no);
    CHECK(read(head + kBrowser) == Plain::no);
  }
}

TEST_CASE("plain head: the limits are the head check's, to the byte") {
  if (!server::can_read_plain_heads()) return;
  const std::string x(200, 'x');
  const auto target = [&](std::size_t n) {
    return line("GET /" + x.substr(1, n - 1) + " HTTP/1.1");
  };
  CHECK(read(target(70)) == Plain::same);
  CHECK(read(target(71)) == Plain::no);
  CHECK(read(field("X-A: " + x.substr(0, 115))) == Plain::same);
  CHECK(read(field("X-A: " + x.substr(0, 116))) == Plain::no);
  std::string fields = "X-1: 1";
  for (int i = 2; i < 8; ++i) fields += "\r\nX-" + std::to_string(i) + ": 1";
  CHECK(read(field(fields)) == Plain::same);
  CHECK(read(field(fields + "\r\nX-8: 1")) == Plain::no);
  config::Limits limits = small_limits();
  limits.head = kBrowser.size();
  CHECK(read(kBrowser, limits) == Plain::same);
  --limits.head;
  CHECK(read(kBrowser, limits) == Plain::no);
}

TEST_CASE("plain head: a session answers it as it does cut into pieces") {
  for (std::string_view path : {"/see", "/see?q=%", "/hi/some%20one", "/nope", "/file"}) {
    std::string head = "GET " + std::string(path) + kBrowser.substr(kBrowser.find(" HTTP"));
    CAPTURE(head);
    Wire w;
    Outcome whole = w.run_all_ways(head);
    CHECK_FALSE(whole.closes);
  }
}

// SPDX-License-Identifier: Apache-2.0
// llhttp as we build it: strict, and with the gaps that the head check exists for. When a new
// llhttp closes one of them the test says so.
#include "server/method.h"
#include "server/parser.h"

#include <doctest/doctest.h>

#include <string>
#include <tuple>

using pronghorn::server::Parser;

namespace {

bool accepts(std::string_view bytes) {
  Parser parser;
  parser.reset();
  return parser.feed(bytes) && parser.complete();
}

}  // namespace

TEST_CASE("llhttp: is compiled in strict mode") {
  CHECK(accepts("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK_FALSE(accepts("GET / HTTP/1.1\r\nHost: x\r\n\rX"));  // loose mode ends the head here
  CHECK_FALSE(accepts("GET /\t HTTP/1.1\r\nHost: x\r\n\r\n"));
}

TEST_CASE("llhttp: lets through what the head check refuses before it") {
  for (const char* head :
       {"GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\n",
        "\rGET / HTTP/1.1\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n", "OPTIONS / RTSP/1.0\r\n\r\n", "GET /#f HTTP/1.1\r\n\r\n",
        "GET * HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n"}) {
    CAPTURE(head);
    CHECK(accepts(head));
  }
}

TEST_CASE("llhttp: every method we know is parsed, with and without an Upgrade") {
  for (int m = 0; m < 34; ++m) {
    std::string method(pronghorn::server::method_text(static_cast<llhttp_method_t>(m)));
    CAPTURE(method);
    CHECK(pronghorn::server::find_method(method) == m);
    if (m == HTTP_CONNECT) continue;
    CHECK(accepts(method + " / HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK(
        accepts(method + " / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n"));
  }
  CHECK(pronghorn::server::find_method("PRI") == -1);
  CHECK(pronghorn::server::find_method("") == -1);
}

#ifdef PRONGHORN_LLHTTP_SSE42
extern "C" int pronghorn_sse42_llhttp__internal_execute(llhttp__internal_t*, const char*,
                                                        const char*);

TEST_CASE("llhttp: with and without SSE4.2 it stops at the same byte for the same reason") {
  if (!__builtin_cpu_supports("sse4.2")) return;
  auto stops = [](auto* execute, const std::string& bytes) {
    llhttp_settings_t none;
    llhttp_settings_init(&none);
    llhttp_t raw;
    llhttp_init(&raw, HTTP_REQUEST, &none);
    execute(&raw, bytes.data(), bytes.data() + bytes.size());
    auto at = raw.error_pos == nullptr ? -1 : raw.error_pos - bytes.data();
    return std::tuple(raw.error, at, raw.content_length, raw.flags);
  };
  // Each byte at each place of what is looked at sixteen at a time, and before its end.
  const std::string usual =
      "GET /0123456789abcdef0123456789abcdef HTTP/1.1\r\nHost: 0123456789abcdef0123\r\n\r\n";
  for (std::size_t at = 0; at < usual.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string head = usual;
      head[at] = static_cast<char>(byte);
      CAPTURE(at);
      CAPTURE(byte);
      REQUIRE(stops(llhttp__internal_execute, head) ==
              stops(pronghorn_sse42_llhttp__internal_execute, head));
    }
  }
}
#endif

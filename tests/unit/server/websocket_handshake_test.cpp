// SPDX-License-Identifier: Apache-2.0
#include "server/websocket_handshake.h"

#include "server/sha1.h"
#include "tests/unit/server/made_request.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::server;
using test::MadeRequest;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers good() {
  return {{"Host", "x"},
          {"Upgrade", "websocket"},
          {"Connection", "keep-alive, Upgrade"},
          {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
          {"Sec-WebSocket-Version", "13"}};
}

Headers with(const std::string& name, const std::string& value) {
  Headers headers = good();
  std::erase_if(headers, [&](auto& field) { return field.first == name; });
  headers.emplace_back(name, value);
  return headers;
}

Headers without(const std::string& name) {
  Headers headers = good();
  std::erase_if(headers, [&](auto& field) { return field.first == name; });
  return headers;
}

int status(const Headers& headers, const WebSocketOptions& options = {}) {
  return answer_handshake(*MadeRequest(headers), options).answer.status();
}

std::string field(const Response& answer, std::string_view name) {
  for (const auto& header : answer.headers()) {
    if (header.name == name) return header.value;
  }
  return "(none)";
}

std::string hex(const auto& bytes) {
  std::string out;
  for (auto byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

}  // namespace

TEST_CASE("websocket: SHA-1 and base64 of the RFCs' examples") {
  CHECK(hex(sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(sha1("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(hex(sha1(std::string(1000, 'a'))) == "291e9a6c66994949b57ba5e650361e98fc36b1ba");
  const auto encoded = [](std::string_view text) {
    return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  CHECK(encoded("") == "");
  CHECK(encoded("f") == "Zg==");
  CHECK(encoded("fo") == "Zm8=");
  CHECK(encoded("foo") == "Zm9v");
  CHECK(encoded("foobar") == "Zm9vYmFy");
  CHECK(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("websocket: a right handshake is accepted") {
  Handshake done = answer_handshake(*MadeRequest(good()), {});
  CHECK(done.is_accepted());
  CHECK(field(done.answer, "Upgrade") == "websocket");
  CHECK(field(done.answer, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(field(done.answer, "Sec-WebSocket-Protocol") == "(none)");
  CHECK(status(with("Upgrade", "h2c, WebSocket")) == 101);
  CHECK(status(with("Connection", "UPGRADE")) == 101);
}

TEST_CASE("websocket: what is no handshake gets 426 and the version that is spoken") {
  for (const Headers& headers : {without("Upgrade"), without("Connection"), with("Upgrade", "h2c"),
                                 with("Connection", "close"), with("Sec-WebSocket-Version", "8"),
                                 with("Sec-WebSocket-Version", "013"), Headers{{"Host", "x"}}}) {
    const Response answer = answer_handshake(*MadeRequest(headers), {}).answer;
    CHECK(answer.status() == 426);
    CHECK(field(answer, "Sec-WebSocket-Version") == "13");
    CHECK(field(answer, "Upgrade") == "websocket");
  }
  MadeRequest old(good());
  CHECK(answer_handshake(*old.version(10), {}).answer.status() == 426);
}

TEST_CASE("websocket: a wrong handshake gets 400") {
  CHECK(status(without("Sec-WebSocket-Version")) == 400);
  CHECK(status(without("Sec-WebSocket-Key")) == 400);
  for (const char* key :
       {"", "short", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQ==x", "dGhl-HNhbXBsZSBub25jZQ=="}) {
    CAPTURE(key);
    CHECK(status(with("Sec-WebSocket-Key", key)) == 400);
  }
  Headers twice = good();
  twice.emplace_back("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK(status(twice) == 400);
  MadeRequest post(good());
  CHECK(answer_handshake(*post.method("POST"), {}).answer.status() == 400);
}

TEST_CASE("websocket: the first protocol of the client's that we speak is chosen") {
  const WebSocketOptions options{.protocols = {"b", "c"}};
  const auto chosen = [&](const char* offered) {
    Headers headers = good();
    headers.emplace_back("Sec-WebSocket-Protocol", offered);
    Handshake done = answer_handshake(*MadeRequest(headers), options);
    return std::to_string(done.answer.status()) + " " +
           field(done.answer, "Sec-WebSocket-Protocol");
  };
  CHECK(chosen("a, c, b") == "101 c");
  CHECK(chosen("b") == "101 b");
  CHECK(chosen("a") == "101 (none)");
  CHECK(chosen("B") == "101 (none)");
  CHECK(chosen("b, b") == "400 (none)");
  CHECK(chosen("b c") == "400 (none)");
  Headers lines = good();
  lines.emplace_back("Sec-WebSocket-Protocol", "a");
  lines.emplace_back("Sec-WebSocket-Protocol", "c");
  CHECK(answer_handshake(*MadeRequest(lines), options).protocol == "c");
}

TEST_CASE("websocket: only named origins may connect, and clients that are no browsers") {
  const WebSocketOptions options{.origins = {"https://example.org", "http://localhost:8080"}};
  CHECK(status(good(), options) == 101);
  CHECK(status(with("Origin", "https://example.org"), options) == 101);
  CHECK(status(with("Origin", "HTTP://LOCALHOST:8080"), options) == 101);
  for (const char* origin : {"http://example.org", "https://example.org.evil.net",
                             "https://example.org:444", "null", ""}) {
    CAPTURE(origin);
    CHECK(status(with("Origin", origin), options) == 403);
  }
  Headers two = with("Origin", "https://example.org");
  two.emplace_back("Origin", "https://example.org");
  CHECK(status(two, options) == 403);
  CHECK(status(with("Origin", "https://any.org")) == 101);
}

// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/cookie.h>

#include "tests/unit/server/made_request.h"

#include <doctest/doctest.h>

#include <string>

using namespace pronghorn;
using test::MadeRequest;
using namespace std::chrono_literals;

namespace {

using Headers = MadeRequest::Headers;

/// {{name, value}} would be taken for a pair of iterators.
Headers one(std::string value, std::string name = "Cookie") {
  Headers headers;
  headers.emplace_back(std::move(name), std::move(value));
  return headers;
}

std::string shown(Headers headers) {
  const MadeRequest request(std::move(headers));
  std::string out;
  for (const auto& [name, value] : cookies(*request)) {
    out += "(" + std::string(name) + "=" + std::string(value) + ")";
  }
  return out;
}

std::string set(const SetCookie& cookie) {
  auto text = format_set_cookie(cookie);
  return text ? *text : text.error().message();
}

}  // namespace

TEST_CASE("cookie: the Cookie field is read tolerantly") {
  CHECK(shown(one("a=1; b=2")) == "(a=1)(b=2)");
  CHECK(shown(one("a=1;b=2 ;  c = 3", "cookie")) == "(a=1)(b=2)(c=3)");
  CHECK(shown(one("a=\"x y\"; b=c=d; e=")) == "(a=\"x y\")(b=c=d)(e=)");
  CHECK(shown(one("a; =b; ;;\t; c=1")) == "(c=1)");
  CHECK(shown(Headers{{"Cookie", "a=1"}, {"X", "y"}, {"Cookie", "b=2"}}) == "(a=1)(b=2)");
  CHECK(shown(one("")) == "");
  CHECK(cookies(*MadeRequest()).empty());
}

TEST_CASE("cookie: of two with one name the first counts") {
  MadeRequest request(one("id=1; ID=2; id=3"));
  CHECK(cookie(*request, "id") == "1");
  CHECK(cookie(*request, "ID") == "2");
  CHECK(cookie(*request, "none") == std::nullopt);
}

TEST_CASE("cookie: their number is bounded") {
  std::string many = "a=1";
  for (int i = 0; i < 1000; ++i) many += "; a=1";
  MadeRequest request(one(many));
  CHECK(cookies(*request).size() == 256);
  CHECK(cookies(*request, 3).size() == 3);
  CHECK(cookies(*request, 0).empty());
}

TEST_CASE("cookie: Set-Cookie has every attribute") {
  CHECK(set({.name = "a", .value = ""}) == "a=");
  CHECK(set({.name = "a", .value = "\"b\""}) == "a=\"b\"");
  CHECK(set({.name = "id",
             .value = "x",
             .expires = 784111777,
             .max_age = 1h,
             .domain = "example.org",
             .path = "/a",
             .secure = true,
             .http_only = true,
             .same_site = SameSite::strict,
             .partitioned = true}) ==
        "id=x; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=3600; Domain=example.org; Path=/a; "
        "Secure; HttpOnly; SameSite=Strict; Partitioned");
  CHECK(set({.name = "a", .value = "", .max_age = 0s, .same_site = SameSite::lax}) ==
        "a=; Max-Age=0; SameSite=Lax");
  CHECK(set({.name = "a", .value = "1", .secure = true, .same_site = SameSite::none}) ==
        "a=1; Secure; SameSite=None");
  CHECK(set({.name = "__Host-a", .value = "1", .path = "/", .secure = true}) ==
        "__Host-a=1; Path=/; Secure");
  CHECK(set({.name = "__Secure-a", .value = "1", .secure = true}) == "__Secure-a=1; Secure");
}

TEST_CASE("cookie: nothing in a cookie can become another attribute or field") {
  const std::string bytes("\r\n\0;\x7f\x01", 6);
  for (char byte : bytes) {
    CAPTURE(static_cast<int>(byte));
    const std::string evil = std::string("a") + byte + "b";
    CHECK_FALSE(format_set_cookie({.name = evil, .value = "1"}));
    CHECK_FALSE(format_set_cookie({.name = "a", .value = evil}));
    CHECK_FALSE(format_set_cookie({.name = "a", .value = "1", .domain = evil}));
    CHECK_FALSE(format_set_cookie({.name = "a", .value = "1", .path = "/" + evil}));
  }
  for (const char* value : {"a b", "a,b", "a\\b", "a\"b", "\"", "\xc3\xa9"}) {
    CAPTURE(value);
    CHECK_FALSE(format_set_cookie({.name = "a", .value = value}));
  }
  CHECK_FALSE(format_set_cookie({.name = "", .value = "1"}));
  CHECK_FALSE(format_set_cookie({.name = "a=b", .value = "1"}));
  CHECK_FALSE(format_set_cookie({.name = "a", .value = "1", .path = "a"}));
  CHECK_FALSE(format_set_cookie({.name = "a", .value = "1", .expires = 253402300800}));
}

TEST_CASE("cookie: what browsers would drop is an error") {
  CHECK(set({.name = "a", .value = "1", .same_site = SameSite::none}) ==
        "the cookie cannot be set: SameSite=None needs Secure");
  CHECK_FALSE(format_set_cookie({.name = "a", .value = "1", .partitioned = true}));
  CHECK_FALSE(format_set_cookie({.name = "__Secure-a", .value = "1"}));
  CHECK_FALSE(format_set_cookie({.name = "__secure-a", .value = "1"}));
  CHECK_FALSE(format_set_cookie({.name = "__Host-a", .value = "1", .secure = true}));
  CHECK_FALSE(format_set_cookie({.name = "__host-a", .value = "1", .path = "/"}));
  CHECK_FALSE(format_set_cookie(
      {.name = "__Host-a", .value = "1", .domain = "x.org", .path = "/", .secure = true}));
  CHECK(format_set_cookie({.name = "a", .value = std::string(4095, 'v')}));
  CHECK_FALSE(format_set_cookie({.name = "a", .value = std::string(4096, 'v')}));
  CHECK_FALSE(format_set_cookie({.name = "a", .value = "1", .path = "/" + std::string(1024, 'p')}));
}

TEST_CASE("cookie: set_cookie adds a field, or leaves the answer as it is") {
  Response answer;
  REQUIRE(set_cookie(answer, {.name = "a", .value = "1"}));
  REQUIRE(set_cookie(answer, {.name = "b", .value = "2", .http_only = true}));
  CHECK_FALSE(set_cookie(answer, {.name = "c", .value = "a;b"}));
  REQUIRE(answer.headers().size() == 2);
  CHECK(answer.headers()[1].name == "Set-Cookie");
  CHECK(answer.headers()[1].value == "b=2; HttpOnly");
}

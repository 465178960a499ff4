// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/router.h>

#include "server/router_impl.h"

#include <doctest/doctest.h>

#include <string>

using namespace pronghorn;

namespace {

struct Fixture {
  Router router;
  RouteScratch scratch;

  bool add(std::string_view method, std::string_view pattern) {
    return router
        .add(method, pattern,
             [text = std::string(method) + " " + std::string(pattern)](const Request&) {
               return Response::text(text);
             })
        .has_value();
  }
  /// "GET /a/:x x=1" of what answers; "405 GET, …"; "404".
  std::string find(std::string_view method, std::string_view path) {
    auto known = static_cast<server::Method>(server::find_method(method));
    RouteMatch match = router.impl().match(known, path, scratch);
    if (!match.handler) return match.allowed.empty() ? "404" : "405 " + match.allowed.text();
    std::string text = std::get<std::string>((*match.handler->value())(Request{}).body());
    if (!match.takes_body) text += " without body";
    for (auto& [name, value] : scratch.params)
      text += " " + std::string(name) + "=" + std::string(value);
    return text;
  }
};

}  // namespace

TEST_CASE("router: a literal wins over a parameter, that over the rest") {
  Fixture f;
  REQUIRE(f.add("GET", "/"));
  REQUIRE(f.add("GET", "/a"));
  REQUIRE(f.add("GET", "/a/b"));
  REQUIRE(f.add("GET", "/a/:x"));
  REQUIRE(f.add("GET", "/a/:x/c"));
  REQUIRE(f.add("GET", "/a/*rest"));
  REQUIRE(f.add("GET", "/:top/z"));
  CHECK(f.find("GET", "/") == "GET /");
  CHECK(f.find("GET", "/a") == "GET /a");
  CHECK(f.find("GET", "/a/b") == "GET /a/b");
  CHECK(f.find("GET", "/a/q") == "GET /a/:x x=q");
  CHECK(f.find("GET", "/a/b/c") == "GET /a/:x/c x=b");  // back from the literal "b"
  CHECK(f.find("GET", "/a/b/d") == "GET /a/*rest rest=b/d");
  CHECK(f.find("GET", "/a/") == "GET /a/*rest rest=");  // ":x" is not empty
  CHECK(f.find("GET", "/a/z") == "GET /a/:x x=z");
  CHECK(f.find("GET", "/b/z") == "GET /:top/z top=b");
  CHECK(f.find("GET", "/b") == "404");
  CHECK(f.find("GET", "/A") == "404");
  CHECK(f.find("GET", "//") == "404");
}

TEST_CASE("router: segments are compared and given decoded") {
  Fixture f;
  REQUIRE(f.add("GET", "/hello"));
  REQUIRE(f.add("GET", "/p/:a/:b"));
  REQUIRE(f.add("GET", "/r/*rest"));
  CHECK(f.find("GET", "/h%65llo") == "GET /hello");
  CHECK(f.find("GET", "/p/a%2Fb/%41%20") == "GET /p/:a/:b a=a/b b=A ");
  CHECK(f.find("GET", "/r/%61/%62") == "GET /r/*rest rest=a/b");
  CHECK(f.find("GET", "/%68%65%6c%6c%6f/%68") == "404");
}

TEST_CASE("router: the method chooses, HEAD is GET's, the rest is told in Allow") {
  Fixture f;
  REQUIRE(f.add("GET", "/a"));
  REQUIRE(f.add("POST", "/a"));
  REQUIRE(f.add("*", "/any"));
  REQUIRE(f.add("PUT", "/any"));
  REQUIRE(f.add("HEAD", "/h"));
  REQUIRE(f.add("GET", "/h"));
  REQUIRE(f.add("POST", "/:x"));
  CHECK(f.find("HEAD", "/a") == "GET /a");
  CHECK(f.find("HEAD", "/h") == "HEAD /h");
  CHECK(f.find("PUT", "/any") == "PUT /any");
  CHECK(f.find("DELETE", "/any") == "* /any");
  CHECK(f.find("OPTIONS", "/any") == "* /any");
  CHECK(f.find("PUT", "/a") == "405 GET, HEAD, POST, OPTIONS");
  CHECK(f.find("POST", "/h") == "POST /:x x=h");
  CHECK(f.find("PUT", "/h") == "405 GET, HEAD, POST, OPTIONS");
  CHECK(f.find("TRACE", "/any").starts_with("405 "));
}

TEST_CASE("router: the fallback takes what no pattern does") {
  Fixture f;
  REQUIRE(f.add("GET", "/a"));
  f.router.fallback([](const Request&) { return Response::text("files"); });
  CHECK(f.find("GET", "/b") == "files");
  CHECK(f.find("DELETE", "/b") == "files");
  CHECK(f.find("PUT", "/a") == "405 GET, HEAD, OPTIONS");
  CHECK(f.find("TRACE", "/b").starts_with("405 "));
  f.router.fallback([](const Request&) { return Response::text("files"); }, {"GET", "HEAD"});
  CHECK(f.find("HEAD", "/b") == "files");
  CHECK(f.find("POST", "/b") == "files without body");
  CHECK(f.find("OPTIONS", "/b") == "files without body");
}

TEST_CASE("router: wrong and repeated patterns are refused") {
  Fixture f;
  REQUIRE(f.add("GET", "/a/:x"));
  CHECK_FALSE(f.add("GET", "/a/:x"));
  CHECK_FALSE(f.add("GET", "/a/:y"));  // the same paths
  CHECK(f.add("POST", "/a/:y"));
  CHECK(f.find("POST", "/a/1") == "POST /a/:y y=1");
  CHECK(f.add("*", "/a/:z"));
  CHECK_FALSE(f.add("*", "/a/:z"));
  CHECK(f.add("GET", "/r/*x"));
  CHECK_FALSE(f.add("GET", "/r/*y"));
  for (const char* bad : {"", "a", "*", "/:", "/*", "/a:b/:x y", "/*rest/more", "/:x/:x", "/a?b",
                          "/a#b", "/a b", "/%41", "/:x-y"}) {
    CAPTURE(bad);
    CHECK_FALSE(f.add("GET", bad));
  }
  CHECK_FALSE(f.add("FOO", "/m"));
  CHECK_FALSE(f.add("get", "/m"));
  CHECK_FALSE(f.add("CONNECT", "/m"));
  CHECK_FALSE(f.add("TRACE", "/m"));
  auto error = f.router.add("GET", "/a/:x", [](const Request&) { return Response(); });
  CHECK(error.error().message() == "route \"/a/:x\": taken for \"GET\" by \"/a/:x\"");
}

TEST_CASE("router: a long path under many patterns is walked once") {
  Fixture f;
  std::string deep = "/:a";
  for (int i = 0; i < 20; ++i) {
    REQUIRE(f.add("GET", deep + "/x" + std::to_string(i)));
    deep += "/:p" + std::to_string(i);
  }
  std::string path;
  for (int i = 0; i < 2000; ++i) path += "/%41";
  CHECK(f.find("GET", path) == "404");
  CHECK(f.scratch.segments.size() < 30);
}

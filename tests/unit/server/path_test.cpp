// SPDX-License-Identifier: Apache-2.0
#include "server/path.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

using pronghorn::server::append_encoded_path;
using pronghorn::server::append_encoded_query;
using pronghorn::server::normalise_path;
using pronghorn::server::PathVerdict;

namespace {

struct Normal {
  PathVerdict verdict;
  std::string relative;
  bool is_directory = false;
};

Normal normal(std::string_view encoded) {
  Normal result{};
  result.relative = "left over from the request before";
  result.verdict = normalise_path(encoded, result.relative, result.is_directory);
  return result;
}

std::string file(std::string_view encoded) {
  auto n = normal(encoded);
  if (n.verdict != PathVerdict::ok) return "(refused)";
  return n.is_directory ? "(directory) " + n.relative : n.relative;
}

PathVerdict verdict(std::string_view encoded) { return normal(encoded).verdict; }

}  // namespace

TEST_CASE("path: names are decoded once, and mean their bytes") {
  CHECK(file("/hello.txt") == "hello.txt");
  CHECK(file("/h%65llo.txt") == "hello.txt");
  CHECK(file("/with%20space.txt") == "with space.txt");
  CHECK(file("/a+b.txt") == "a+b.txt");
  CHECK(file("/100%25.txt") == "100%.txt");
  CHECK(file("/with%2520space.txt") == "with%20space.txt");
  CHECK(file("/q%3fx.txt") == "q?x.txt");
  CHECK(file("/a..b.txt") == "a..b.txt");
  CHECK(file("/d.ot/x.txt") == "d.ot/x.txt");
  CHECK(file("/%C3%BCn%c3%af.txt") == "\xc3\xbcn\xc3\xaf.txt");
  CHECK(file("/..\\secret.txt") == "(refused)");  // begins with a dot
  CHECK(file("/a\\..\\secret.txt") == "a\\..\\secret.txt");
  CHECK(file("/a%5c..%5cb") == "a\\..\\b");
  CHECK(file("/%c0%ae%c0%ae/secret.txt") == "\xc0\xae\xc0\xae/secret.txt");
  CHECK(file("/dir%0d%0aX: 1") == "dir\r\nX: 1");
}

// What has nothing to decode is read another way.
TEST_CASE("path: a letter or a dot means the same as its percent-encoding") {
  constexpr std::string_view kLetters = "/.a";
  int compared = 0;
  for (int length = 0, count = 1; length <= 8; ++length, count *= 3) {
    for (int number = 0; number < count; ++number) {
      std::string plain = "/", encoded = "/";
      for (int i = 0, rest = number; i < length; ++i, rest /= 3) {
        char c = kLetters[static_cast<std::size_t>(rest % 3)];
        plain += c;
        encoded += c == 'a' ? "%61" : c == '.' ? "%2e" : "/";
      }
      CAPTURE(plain);
      Normal as_it_is = normal(plain), decoded = normal(encoded);
      REQUIRE(as_it_is.verdict == decoded.verdict);
      if (as_it_is.verdict != PathVerdict::ok) continue;
      REQUIRE(as_it_is.relative == decoded.relative);
      REQUIRE(as_it_is.is_directory == decoded.is_directory);
      ++compared;
    }
  }
  CHECK(compared > 1000);
}

TEST_CASE("path: empty and dot segments go") {
  CHECK(file("/") == "(directory) ");
  CHECK(file("//") == "(directory) ");
  CHECK(file("//dir") == "dir");
  CHECK(file("/dir//sub///f") == "dir/sub/f");
  CHECK(file("/dir/") == "(directory) dir");
  CHECK(file("/dir/.") == "(directory) dir");
  CHECK(file("/dir/./") == "(directory) dir");
  CHECK(file("/dir/%2e") == "(directory) dir");
  CHECK(file("/dir/sub/..") == "(directory) dir");
  CHECK(file("/dir/../hello.txt") == "hello.txt");
  CHECK(file("/dir/%2E./hello.txt") == "hello.txt");
  CHECK(file("/dir/sub/../../hello.txt") == "hello.txt");
  CHECK(file("/dir//../hello.txt") == "hello.txt");
  CHECK(file("/dir/..") == "(directory) ");
}

TEST_CASE("path: what leaves the root is malformed, in every spelling") {
  for (auto path :
       {"/..", "/../secret.txt", "/dir/../../secret.txt", "/%2e%2e/secret.txt", "/.%2e/secret.txt",
        "/%2E%2e/secret.txt", "/./.././secret.txt", "/dir/%2e%2e/%2e%2e/secret.txt",
        "/../../../../etc/passwd", "//../x", "/dir/../../dir/hello.txt"}) {
    CAPTURE(path);
    CHECK(verdict(path) == PathVerdict::malformed);
  }
}

TEST_CASE("path: NUL, bad percent-encoding and what is no path are malformed") {
  for (auto path : {"/hello.txt%00", "/hello.txt%00.html", "/%00/../x", "/%zz", "/%4", "/%", "/a%2",
                    "/a%2/b", "/%+1", "", "*", "hello.txt", "localhost:80"}) {
    CAPTURE(path);
    CHECK(verdict(path) == PathVerdict::malformed);
  }
  CHECK(verdict(std::string_view("/a\0b", 4)) == PathVerdict::malformed);
}

TEST_CASE("path: an encoded slash never separates") {
  for (auto path : {"/dir%2fsub", "/..%2fsecret.txt", "/%2e%2e%2Fsecret.txt", "/dir%2F", "/%2f",
                    "/a%2f/../hello.txt"}) {
    CAPTURE(path);
    CHECK(verdict(path) == PathVerdict::hidden);
  }
}

TEST_CASE("path: dotfiles are hidden in every spelling, but not below .well-known") {
  for (auto path : {"/.env", "/%2eenv", "//.env", "/dir/.git/config", "/dir/../.env", "/.git/",
                    "/.git", "/...", "/.well-knownx", "/.well-known/.env", "/dir/.well-known/x",
                    "/.well-known/../.env", "/.env/", "/.%65nv"}) {
    CAPTURE(path);
    CHECK(verdict(path) == PathVerdict::hidden);
  }
  CHECK(file("/.well-known/probe.txt") == ".well-known/probe.txt");
  CHECK(file("/%2ewell-known/probe.txt") == ".well-known/probe.txt");
  CHECK(file("/.well-known") == ".well-known");
  CHECK(file("/.env/../hello.txt") == "hello.txt");
}

TEST_CASE("path: whatever comes in, what goes out stays below the root") {
  std::mt19937 random(42);
  constexpr std::string_view kAlphabet[] = {"/",   ".", "..", "a",   "%2e", "%2f",
                                            "%00", "%", "\\", "%5c", "//",  "b%"};
  std::uniform_int_distribution<std::size_t> pick(0, std::size(kAlphabet) - 1);
  int served = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string path = "/";
    for (std::size_t n = pick(random); n > 0; --n) path += kAlphabet[pick(random)];
    auto n = normal(path);
    if (n.verdict != PathVerdict::ok) continue;
    ++served;
    CAPTURE(path);
    std::string framed = "/" + n.relative + "/";
    REQUIRE(framed.find("/../") == std::string::npos);
    REQUIRE(framed.find("/./") == std::string::npos);
    REQUIRE(n.relative.find("//") == std::string::npos);
    REQUIRE_FALSE(n.relative.starts_with('/'));
    REQUIRE_FALSE(n.relative.ends_with('/'));
    REQUIRE(n.relative.find('\0') == std::string::npos);
  }
  CHECK(served > 1000);
}

TEST_CASE("path: a Location holds nothing that ends a field, leaves the host or is markup") {
  std::string out = "/";
  append_encoded_path(out, "a b\r\nX: 1\\\"<i>%41?#\x7f\xc3\xbc/c+d~e");
  CHECK(out == "/a%20b%0D%0AX%3A%201%5C%22%3Ci%3E%2541%3F%23%7F%C3%BC/c+d~e");
  std::string query;
  append_encoded_query(query, "x=%0d%0a&y=a?b:c<\"'\x80");
  CHECK(query == "x=%0d%0a&y=a?b:c%3C%22'%80");
}

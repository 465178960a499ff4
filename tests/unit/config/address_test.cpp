// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/config/config.h>

#include <doctest/doctest.h>

using pronghorn::config::ListenAddress;

TEST_CASE("listen address: text and value are inverses") {
  for (const std::string text :
       {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:80", "[::]:65535", "[fe80::1%eth0]:1",
        "localhost:8080", "my-host.example_1.com:1", "unix:/run/x.sock", "unix:rel.sock"}) {
    CAPTURE(text);
    const auto address = ListenAddress::parse(text);
    REQUIRE(address);
    CHECK(address->text() == text);
  }
}

TEST_CASE("listen address: a unix path fills sun_path and not one byte more") {
  CHECK(ListenAddress::parse("unix:" + std::string(107, 'x')));
  CHECK_FALSE(ListenAddress::parse("unix:" + std::string(108, 'x')));
}

TEST_CASE("listen address: the parts of it") {
  const auto v6 = ListenAddress::parse("[::1]:80");
  REQUIRE(v6);
  CHECK(v6->host == "::1");
  CHECK(v6->port == 80);
  CHECK_FALSE(v6->is_unix());
  const auto local = ListenAddress::parse("unix:a:b");
  REQUIRE(local);
  CHECK(local->path == "a:b");
  CHECK(local->is_unix());
}

TEST_CASE("listen address: a wrong one says what was meant") {
  struct Row {
    std::string text, meant;
  };
  const Row rows[] = {{"8080", "127.0.0.1:8080"},
                      {":8080", "127.0.0.1:8080"},
                      {"::1:8080", "[::1]:8080"},
                      {"::1", "[::1]:8080"},
                      {"localhost", "localhost:8080"},
                      {"127.0.0.1:", "127.0.0.1:8080"},
                      {"*", "0.0.0.0:8080"},
                      {"/run/x.sock", "unix:/run/x.sock"},
                      {"http://a.example", "a.example:80"},
                      {"", "127.0.0.1:8080"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto address = ListenAddress::parse(row.text);
    REQUIRE_FALSE(address);
    CHECK(address.error().message().find("did you mean '" + row.meant + "'?") != std::string::npos);
  }
}

TEST_CASE("listen address: what is not one is refused") {
  for (const std::string text :
       {"127.0.0.1:65536", "127.0.0.1:99999999999999999999", "127.0.0.1:-1", "127.0.0.1:+1",
        "127.0.0.1: 1", "a b:80", "[127.0.0.1]:80", "[]:80", "[::1", "[::1]80", "1.2.3:80", "99999",
        "unix:", "exa$mple:80", "[::1]:x", "\xff:80"}) {
    CAPTURE(text);
    CHECK_FALSE(ListenAddress::parse(text));
  }
  CHECK_FALSE(ListenAddress::parse(std::string_view("unix:a\0b", 8)));
}

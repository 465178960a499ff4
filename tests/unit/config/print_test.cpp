// SPDX-License-Identifier: Apache-2.0
#include "config/print.h"

#include "config/reference.h"
#include "config/schema.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace pronghorn;
using config::Config;

namespace {

const std::vector<std::string> kOdd = {"",
                                       "plain",
                                       "with \"quotes\" and 'more'",
                                       "back\\slash",
                                       "line\nbreak\r\n\ttab",
                                       "gr\xc3\xbc\xc3\x9f \xf0\x9f\xa6\x8c",
                                       "${HOME}",
                                       "$${HOME}",
                                       "$$${x",
                                       "${",
                                       "$",
                                       "# no comment",
                                       "\x01\x1f\x7f",
                                       "]]>",
                                       " spaces "};

config::Value other_value(const config::Key& key) {
  const Config standard;
  const config::Value value = key.read(standard);
  if (std::holds_alternative<bool>(value)) return !std::get<bool>(value);
  if (std::holds_alternative<std::uint64_t>(value)) return key.min + 1;
  if (std::holds_alternative<std::chrono::milliseconds>(value))
    return std::chrono::milliseconds(key.min + 1);
  if (std::holds_alternative<std::string>(value))
    return std::string(key.type == config::Type::choice ? key.words().back() : "a \"b\"\n${c}");
  if (key.type == config::Type::media_types) return std::vector<std::string>{"image/*"};
  if (std::holds_alternative<std::vector<std::string>>(value))
    return std::vector<std::string>{"${x}", "\xc3\xa4\"", "z"};
  return std::vector<config::ListenAddress>{{.host = "::1", .port = 65535, .path = {}},
                                            {.host = {}, .port = 0, .path = "a ${b}\n\".sock"}};
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("to_toml: from_toml is its inverse for the defaults") {
  const auto back = config::from_toml(config::to_toml(Config()));
  REQUIRE(back);
  CHECK(*back == Config());
}

TEST_CASE("to_toml: from_toml is its inverse for every key") {
  for (const config::Key& key : config::schema()) {
    CAPTURE(key.name);
    Config changed;
    key.write(changed, other_value(key));
    CHECK(changed != Config());
    const std::string text = config::to_toml(changed);
    const auto back = config::from_toml(text);
    REQUIRE_MESSAGE(back, back.error().message());
    CHECK(*back == changed);
    CHECK(config::to_toml(*back) == text);
  }
}

TEST_CASE("to_toml: from_toml is its inverse for types") {
  Config changed;
  changed.types = {{"md", "text/markdown; charset=utf-8"}, {"c++", "text/x-c++src"}, {"7z", "a/b"}};
  const auto back = config::from_toml(config::to_toml(changed));
  REQUIRE_MESSAGE(back, back.error().message());
  CHECK(*back == changed);
}

TEST_CASE("to_toml: odd text survives, and variables are not put in again") {
  for (const std::string& odd : kOdd) {
    CAPTURE(odd);
    Config changed;
    changed.root = odd;
    changed.control = odd;
    changed.routes.push_back(
        {.path = "/" + odd, .kind = config::Route::Kind::text, .text = odd + odd});
    changed.programs.push_back(
        {.name = odd, .file = odd + "x", .args = {odd, "b"}, .node = odd, .workers = 3});
    changed.programs.push_back(
        {.name = {}, .file = "app.js", .args = {}, .node = {}, .workers = 0});
    changed.routes.push_back({.path = "/echo", .kind = config::Route::Kind::echo, .text = {}});
    const auto back = config::from_toml(config::to_toml(changed));
    REQUIRE_MESSAGE(back, back.error().message());
    CHECK(*back == changed);
  }
}

namespace {

/// With a rule of each kind, in the order in which the file's reader gives the fields of a table.
config::Site site_with_rules() {
  config::Site site;
  site.root = "/srv/${x}";
  site.index = {"a.html", "b \"c\".html"};
  site.listing = true;
  site.fallback = "app/index.html";
  site.cache_control = {{.match = {"*.css", "/a b/*", "text/*"}, .value = "max-age=3, x=\"${y}\""},
                        {.match = {}, .value = "no-cache"}};
  site.headers = {{.match = {"/x"},
                   .remove = {"ETag", "x!y"},
                   .set = {{"X-A", "a\tb"}, {"x'b|~", "$${"}},
                   .add = {{"Link", "<a>; rel=\"b\""}}},
                  {.match = {}, .remove = {}, .set = {{"X-C", ""}}, .add = {}}};
  site.redirects = {{.from = "/gr\xc3\xbc\xc3\x9f/*", .to = "https://example.org/*", .status = 308},
                    {.from = "/x", .to = "/y?z=1", .status = 301}};
  site.error_pages = {{.status = {404, 410}, .file = "404.html"}, {.status = {500}, .file = "e/5"}};
  site.rate_limits = {{.match = {"/d/*", "*.iso"}, .requests_per_second = 5, .requests_burst = 7},
                      {.match = {}, .requests_per_second = 0, .requests_burst = 0}};
  return site;
}

}  // namespace

TEST_CASE("to_toml: sites with rules of every kind survive") {
  Config changed;
  static_cast<config::Site&>(changed) = site_with_rules();
  changed.hosts.push_back({.names = {"example.org", "*.example.org"}, .site = site_with_rules()});
  changed.hosts.push_back({.names = {"[::1]"}, .site = {}});
  changed.refuse_unknown_hosts = true;
  const std::string text = config::to_toml(changed);
  const auto back = config::from_toml(text);
  REQUIRE_MESSAGE(back, back.error().message());
  CHECK(*back == changed);
  CHECK(config::to_toml(*back) == text);
}

TEST_CASE("to_toml: a listener keeps what is its own, and what is not stays everybody's") {
  Config changed;
  changed.limits.body = 7;
  changed.listen.push_back({.host = {}, .port = 0, .path = "a ${b}\n\".sock"});
  changed.listeners.push_back(
      {.address = changed.listen.back(), .limits = changed.limits, .timeouts = {}});
  changed.listeners.push_back(
      {.address = changed.listen.front(), .limits = changed.limits, .timeouts = {}});
  changed.listeners.back().limits.requests_per_second = 9;
  changed.listeners.back().timeouts.keepalive = std::chrono::seconds(100);
  const std::string text = config::to_toml(changed);
  CHECK(
      text.ends_with("[[listeners]]\naddress = \"127.0.0.1:8080\"\n"
                     "limits.requests_per_second = 9\ntimeouts.keepalive = \"100s\"\n"));
  const auto back = config::from_toml(text);
  REQUIRE_MESSAGE(back, back.error().message());
  CHECK(*back == changed);
}

TEST_CASE("to_toml: a route's limits survive, and only those that it has") {
  Config changed;
  changed.routes.push_back({.path = "/x",
                            .kind = config::Route::Kind::echo,
                            .text = {},
                            .body_limit = 3 << 20,
                            .requests_per_second = 5,
                            .requests_burst = 9});
  changed.routes.push_back({.path = "/y",
                            .kind = config::Route::Kind::echo,
                            .text = {},
                            .body_limit = {},
                            .requests_per_second = 5});
  const std::string text = config::to_toml(changed);
  CHECK(
      text.ends_with("limits.body = \"3MiB\"\nlimits.requests_per_second = 5\n"
                     "limits.requests_burst = 9\n\n[[routes]]\npath = \"/y\"\n"
                     "handler = \"echo\"\nlimits.requests_per_second = 5\n"));
  const auto back = config::from_toml(text);
  REQUIRE_MESSAGE(back, back.error().message());
  CHECK(*back == changed);
}

TEST_CASE("to_toml: a NUL in a route's text survives") {
  Config changed;
  changed.routes.push_back(
      {.path = "/x", .kind = config::Route::Kind::text, .text = std::string("a\0b", 3)});
  const auto back = config::from_toml(config::to_toml(changed));
  REQUIRE(back);
  CHECK(*back == changed);
}

TEST_CASE("from_toml: wrong text is an error with its place") {
  const auto wrong = config::from_toml("workers = 4\nwokers = 5\n");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message() == "the master's configuration:2:1: unknown key 'wokers'");
  CHECK_FALSE(config::from_toml("= 4"));
}

TEST_CASE("print: reading what was printed gives the same values and the same text") {
  config::Outcome outcome;
  outcome.config.root = "/srv/${x}";
  outcome.config.workers = 3;
  outcome.config.limits.body = 5'000'000;
  outcome.config.routes.push_back({.path = "/a", .kind = config::Route::Kind::text, .text = "b\n"});
  outcome.config.programs.push_back(
      {.name = "api", .file = "app.js", .args = {"--x"}, .node = {}, .workers = 2});
  outcome.origins["workers"] = {.kind = config::Origin::Kind::environment,
                                .name = "PRONGHORN_WORKERS",
                                .span = {},
                                .items = {}};
  outcome.route_origins.push_back(
      {.kind = config::Origin::Kind::file, .name = "a.toml", .span = {7, 1, 2}, .items = {}});
  const std::string printed = config::print(outcome, false);
  CHECK(printed.find("# environment PRONGHORN_WORKERS\n") != std::string::npos);
  CHECK(printed.find("# default\n") != std::string::npos);
  CHECK(printed.find("# a.toml:7\n") != std::string::npos);
  const auto back = config::from_toml(printed);
  REQUIRE(back);
  CHECK(*back == outcome.config);
  config::Outcome again = outcome;
  again.config = *back;
  CHECK(config::print(again, false) == printed);
}

TEST_CASE("print --changed: only what differs from the defaults") {
  config::Outcome outcome;
  CHECK(config::print(outcome, true).empty());
  outcome.config.limits.body = 42;
  outcome.origins["limits.body"] = {
      .kind = config::Origin::Kind::command_line, .name = "--x", .span = {}, .items = {}};
  CHECK(config::print(outcome, true) == "[limits]\nbody = \"42B\"  # command line\n");
}

TEST_CASE("starter: equals the defaults as it is and when its comments are taken off") {
  const std::string text = config::starter();
  const auto commented = config::from_toml(text);
  REQUIRE(commented);
  CHECK(*commented == Config());
  std::string bare;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_value = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    bare += (is_value ? line.substr(1) : line) + "\n";
  }
  const auto active = config::from_toml(bare);
  REQUIRE_MESSAGE(active, active.error().message());
  CHECK(active->routes.size() == 1);
  for (const config::Key& key : config::schema()) CHECK(key.read(*active) == key.read(Config()));
}

TEST_CASE("reference: docs/reference/configuration.md is what the schema says") {
  const std::string folder = std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/'));
  // To make it again: pronghorn config --reference > docs/reference/configuration.md
  CHECK(contents(folder + "/../../../docs/reference/configuration.md") == config::reference());
}

TEST_CASE("schema: every example is a legal value, every default in range, every sentence ends") {
  for (const config::Key& key : config::schema()) {
    CAPTURE(key.name);
    const auto parsed = config::from_toml(std::string(key.name) + " = " + std::string(key.example));
    REQUIRE_MESSAGE(parsed, parsed.error().message());
    CHECK(key.read(*parsed) != key.read(Config()));
    CHECK(key.doc.ends_with('.'));
    CHECK(config::find_key(key.name) == &key);
  }
}

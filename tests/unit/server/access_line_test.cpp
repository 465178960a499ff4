// SPDX-License-Identifier: Apache-2.0
#include "server/access_line.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <unistd.h>

using namespace pronghorn;
using server::AccessEntry;
using server::AccessLine;
using Connection = AccessEntry::Connection;

namespace {

constexpr std::int64_t kNow = 1'795'348'900'123'456;  // 2026-11-22 12:01:40.123456 UTC

// A line into memory that ends where it must not be written any more.
std::string line(std::string_view format, const AccessEntry& entry, std::uint32_t worker = 2,
                 std::int64_t now = kNow) {
  auto parsed = config::parse_log_format(format);
  REQUIRE_MESSAGE(parsed, parsed.error().message);
  AccessLine made(*parsed, worker);
  auto memory = std::make_unique<char[]>(AccessLine::kMax);
  char* end = made.write(memory.get(), entry, now);
  REQUIRE(end - memory.get() <= static_cast<std::ptrdiff_t>(AccessLine::kMax));
  return {memory.get(), end};
}

AccessEntry entry() {
  AccessEntry e;
  e.client = "127.0.0.1";
  e.method = "GET";
  e.target = "/a%20b?x=1";
  e.path = "/a%20b";
  e.query = "x=1";
  e.host = "example.org:8080";
  e.status = 200;
  e.body_bytes = 1234;
  e.bytes_in = 77;
  e.bytes_out = 1400;
  e.duration_us = 3'456'789;
  e.earlier_requests = 4;
  e.port = 8080;
  return e;
}

const std::string kAllBytes = [] {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  return all;
}();

// Everything that a client may choose is `bytes`.
AccessEntry hostile(std::string_view bytes, const Field& field) {
  AccessEntry e = entry();
  e.client = e.method = e.target = e.path = e.query = e.host = bytes;
  e.fields = {&field, 1};
  e.answer_head = bytes;
  return e;
}

}  // namespace

TEST_CASE("access line: combined and common, times in UTC") {
  const std::array fields{Field{"referer", "http://example.org/"},
                          Field{"USER-AGENT", "curl/7.88.1"}};
  auto e = entry();
  e.fields = fields;
  CHECK(line("combined", e) ==
        "127.0.0.1 - - [22/Nov/2026:12:01:40 +0000] \"GET /a%20b?x=1 HTTP/1.1\" 200 1234 "
        "\"http://example.org/\" \"curl/7.88.1\"\n");
  CHECK(line("common", e) ==
        "127.0.0.1 - - [22/Nov/2026:12:01:40 +0000] \"GET /a%20b?x=1 HTTP/1.1\" 200 1234\n");
  e.protocol = "HTTP/1.0";
  e.fields = {};
  CHECK(line("combined", e).ends_with(" HTTP/1.0\" 200 1234 \"-\" \"-\"\n"));
}

TEST_CASE("access line: a request that could not be read has a dash, or null") {
  AccessEntry e;
  e.status = 400;
  CHECK(line("combined", e) == "- - - [22/Nov/2026:12:01:40 +0000] \"-\" 400 0 \"-\" \"-\"\n");
  CHECK(line("%m %U%q %H %b %V %v %{A}i %{B}o", e) == "- - - - - - - -\n");
  auto json = nlohmann::json::parse(line("json", e));
  for (const char* key :
       {"client", "method", "target", "protocol", "host", "referer", "user_agent"}) {
    CAPTURE(key);
    CHECK(json.at(key).is_null());
  }
}

TEST_CASE("access line: each letter") {
  const std::array fields{Field{"X-Forwarded-For", "192.0.2.1"}, Field{"Accept", "a"},
                          Field{"x-forwarded-for", "192.0.2.2"},
                          Field{"x-forwarded-for", "192.0.2.3"}};
  auto e = entry();
  e.fields = fields;
  e.answer_head = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/html\r\nX: y";
  const std::pair<const char*, std::string> rows[] = {
      {"%h|%a|%l|%u", "127.0.0.1|127.0.0.1|-|-"},
      {"%m %U %q %H", "GET /a%20b ?x=1 HTTP/1.1"},
      {"%r", "GET /a%20b?x=1 HTTP/1.1"},
      {"%s %>s %b %B %I %O", "200 200 1234 1234 77 1400"},
      {"%D %T %{ms}T %{us}T", "3456789 3 3456 3456789"},
      {"%{sec}t %{msec}t %{usec}t", "1795348900 1795348900123 1795348900123456"},
      {"%{%F %T}t.%{msec_frac}t %{usec_frac}t", "2026-11-22 12:01:40.123 123456"},
      {"%{%d/%b/%Y %z}t", "22/Nov/2026 +0000"},
      {"%{X-Forwarded-For}i", "192.0.2.1, 192.0.2.2, 192.0.2.3"},
      {"%{content-type}o %{X}o %{none}o", "text/html y -"},
      {"%V %v %p", "example.org:8080 example.org 8080"},
      {"%P", std::to_string(::getpid())},
      {"%k %X", "4 +"},
      {"%L", "-"},
      {"100%%", "100%"},
  };
  for (const auto& [format, expected] : rows) {
    CAPTURE(format);
    CHECK(line(format, e) == expected + "\n");
  }
  const std::string id(64, 'i');
  e.request_id = id;
  CHECK(line("%L", e) == id + "\n");
  e.connection = Connection::closed;
  CHECK(line("%X", e) == "-\n");
  e.connection = Connection::aborted;
  CHECK(line("%X", e) == "X\n");
  e.host = "[::1]:80";
  CHECK(line("%v", e) == "[::1]\n");
  e.host = "[::1]";
  CHECK(line("%v", e) == "[::1]\n");
  e.query = {};
  CHECK(line("%U%q", e) == "/a%20b\n");
}

TEST_CASE("access line: only a pattern with %{…}o asks for the answer's head") {
  CHECK(AccessLine(*config::parse_log_format("%{X}o"), 0).wants_answer_head());
  CHECK_FALSE(AccessLine(*config::parse_log_format("json"), 0).wants_answer_head());
  CHECK(AccessLine(*config::parse_log_format("json"), 0).wants_request_id());
  CHECK(AccessLine(*config::parse_log_format("%L"), 0).wants_request_id());
  CHECK_FALSE(AccessLine(*config::parse_log_format("combined"), 0).wants_request_id());
}

TEST_CASE("access line: only who shows it asks for the duration, or for a time within a second") {
  struct Row {
    const char* format;
    bool duration, fraction;
  };
  for (const auto& [format, duration, fraction] :
       {Row{"combined", false, false}, Row{"json", true, true}, Row{"%D", true, false},
        Row{"%T", true, false}, Row{"%{ms}T", true, false}, Row{"%t %{%T}t %{sec}t", false, false},
        Row{"%{msec}t", false, true}, Row{"%{usec}t", false, true},
        Row{"%{msec_frac}t", false, true}, Row{"%{usec_frac}t", false, true}}) {
    CAPTURE(format);
    const AccessLine made(*config::parse_log_format(format), 0);
    CHECK(made.wants_duration() == duration);
    CHECK(made.wants_fraction() == fraction);
  }
}

TEST_CASE("access line: what stands between is that of the line's second") {
  AccessLine made(*config::parse_log_format("a%lb%{%S}t%%%{%S}t %s-%{%M:%S}t%l"), 0);
  auto memory = std::make_unique<char[]>(AccessLine::kMax);
  auto at = [&](std::int64_t now) {
    return std::string(memory.get(), made.write(memory.get(), entry(), now));
  };
  CHECK(at(kNow) == "a-b40%40 200-01:40-\n");
  CHECK(at(kNow + 876'543) == "a-b40%40 200-01:40-\n");
  CHECK(at(kNow + 876'544) == "a-b41%41 200-01:41-\n");
  CHECK(at(kNow - 123'456) == "a-b40%40 200-01:40-\n");  // a clock that was set back
  CHECK(at(kNow - 123'457) == "a-b39%39 200-01:39-\n");
}

TEST_CASE("access line: what follows a time is what was asked for, not how it is called") {
  for (const std::string letter :
       {"%{Referer}i", "%{Server}o", "%a", "%D", "%>s", "%m", "%q", "%L", "%P"}) {
    CAPTURE(letter);
    std::string after = line(letter, entry());
    CHECK(line("%{%M}t " + letter, entry()) == "01 " + after);
    CHECK(line("%{%M}t" + letter + "%{%M}t", entry()) ==
          "01" + after.substr(0, after.size() - 1) + "01\n");
  }
}

TEST_CASE("access line: one byte that is not safe is seen wherever it stands") {
  for (std::size_t size = 1; size <= 50; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const unsigned char byte :
           {0x00, 0x1f, 0x20, 0x22, 0x5c, 0x7e, 0x7f, 0x80, 0xa2, 0xff}) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        std::array<char, 8> hex{};
        std::snprintf(hex.data(), hex.size(), "\\x%02x", byte);
        std::string expected = text;
        if (byte != 0x20 && byte != 0x7e) expected.replace(at, 1, hex.data());
        std::array<char, 256> memory;
        server::LineWriter out(memory.data());
        out.escaped(text, 200);
        if (std::string_view(memory.data(), out.at()) != expected) FAIL_CHECK(expected);
      }
    }
  }
}

TEST_CASE("access line: numbers and texts of each size") {
  std::array<char, 256> memory;
  for (const std::uint64_t number : {0ULL, 9ULL, 10ULL, 99ULL, 100ULL, 999ULL, 1000ULL, ~0ULL}) {
    server::LineWriter out(memory.data());
    out.number(number);
    CHECK(std::string_view(memory.data(), out.at()) == std::to_string(number));
  }
  server::LineWriter negative(memory.data());
  negative.number(-7);
  CHECK(std::string_view(memory.data(), negative.at()) == "-7");
  for (std::size_t size = 0; size <= 100; ++size) {
    const std::string text = kAllBytes.substr(0, size);
    server::LineWriter out(memory.data());
    out.text(text);
    if (std::string_view(memory.data(), out.at()) != text) FAIL_CHECK(size);
  }
}

TEST_CASE("access line: json has the documented keys and types") {
  const std::array fields{Field{"User-Agent", "caf\xc3\xa9 \xf0\x9f\x98\x80"}};
  auto e = entry();
  e.fields = fields;
  e.connection = Connection::closed;
  e.request_id = "5f";
  const std::string text = line("json", e);
  CHECK(text ==
        "{\"time\":\"2026-11-22T12:01:40.123Z\",\"client\":\"127.0.0.1\",\"method\":\"GET\","
        "\"target\":\"/a%20b?x=1\",\"protocol\":\"HTTP/1.1\",\"host\":\"example.org:8080\","
        "\"status\":200,\"body_bytes\":1234,\"bytes_in\":77,\"bytes_out\":1400,"
        "\"duration_us\":3456789,\"connection\":\"close\",\"referer\":null,"
        "\"user_agent\":\"caf\\u00e9 \\ud83d\\ude00\",\"worker\":2,\"request_id\":\"5f\"}\n");
  CHECK(nlohmann::json::parse(text).at("user_agent") == fields[0].value);
}

TEST_CASE(
    "access line: nothing a client sends can end a field or a line, or reach a terminal raw") {
  const Field field{"User-Agent", kAllBytes};
  for (const char* format :
       {"combined", "common", "json", R"(%h "%r" "%m" "%U" "%q" "%V" "%v" "%{User-Agent}i")"}) {
    CAPTURE(format);
    auto text = line(format, hostile(kAllBytes, field));
    CHECK(text.ends_with('\n'));
    text.pop_back();
    CHECK(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
  auto e = entry();
  const Field attack{"User-Agent", "x\"\r\n\x1b[2J\\\x9b\xc3\xa9\xc2\x9b"};
  e.fields = {&attack, 1};
  CHECK(line("combined", e)
            .ends_with("\"x\\x22\\x0d\\x0a\\x1b[2J\\x5c\\x9b\\xc3\\xa9\\xc2\\x9b\"\n"));
  CHECK(line("json", e).find("\"x\\\"\\u000d\\u000a\\u001b[2J\\\\\\u009b\\u00e9\\u009b\"") !=
        std::string::npos);
}

TEST_CASE("access line: json stays JSON whatever bytes come, cut at any place") {
  for (std::string_view unit :
       {"\xff", "\"", "\xf0\x9f\x98\x80", "\xc3", "\x01", "a", "\xed\xa0\x80"}) {
    std::string bytes;
    while (bytes.size() < 6000) bytes += unit;
    for (std::size_t size : {1U, 900U, 1000U, 1001U, 1002U, 1003U, 1004U, 1005U, 5999U}) {
      const Field field{"User-Agent", std::string_view(bytes).substr(0, size)};
      auto text = line("json", hostile(field.value, field));
      CAPTURE(text);
      CHECK(nlohmann::json::accept(text));
    }
  }
}

TEST_CASE("access line: the longest line fits what a pipe takes whole, and says what was cut") {
  const std::string longest(100'000, '\x01');
  const std::array fields{Field{"Referer", longest}, Field{"User-Agent", longest},
                          Field{"Referer", longest}};
  std::string many;
  for (int i = 0; i < 15; ++i) many += "%{User-Agent}i%r";
  for (const std::string& format : {std::string("combined"), std::string("json"),
                                    std::string("%r %U %q %V %v %{Referer}i %{User-Agent}i %{A}o"),
                                    std::string(2048 - 64, 'x') + "%r", many}) {
    auto e = hostile(longest, fields[0]);
    e.fields = fields;
    e.status = 999;
    e.body_bytes = e.bytes_in = e.bytes_out = ~0ULL;
    e.duration_us = INT64_MAX;
    auto text = line(format, e);
    CHECK(text.find("...") != std::string::npos);
    CHECK(std::ranges::count(text, '\n') == 1);
  }
}

TEST_CASE("access line: a short target leaves its room to a long user agent") {
  const std::string longest(100'000, 'u');
  const Field field{"User-Agent", longest};
  auto e = entry();
  e.fields = {&field, 1};
  CHECK(line("combined", e).size() > 3500);
}

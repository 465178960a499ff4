// SPDX-License-Identifier: Apache-2.0
#include "server/access_log.h"

#include "base/unique_fd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <unistd.h>

using pronghorn::NonblockingWriter;
using pronghorn::UniqueFd;
using pronghorn::WorkerCounters;
using pronghorn::server::AccessEntry;
using pronghorn::server::AccessLog;

namespace {

std::time_t fake_now = 0;

// A log into a pipe, at a time the test chooses.
struct Harness {
  WorkerCounters counters;
  UniqueFd read, write;
  AccessLog log;

  explicit Harness(AccessLog::Form form, bool colour = false)
      : log(make_pipe(), form, colour, counters, [] noexcept { return fake_now; }) {
    fake_now = 1'795'348'900;  // 2026-11-22 12:01:40 UTC
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  int make_pipe() {
    int fds[2];
    REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
    read.reset(fds[0]);
    write.reset(fds[1]);
    return fds[1];
  }
  std::string written() {
    std::string text;
    std::array<char, 65536> buffer;
    for (pollfd watched{read.get(), POLLIN, 0}; ::poll(&watched, 1, 0) == 1;) {
      auto n = ::read(read.get(), buffer.data(), buffer.size());
      if (n <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }
  std::string line(const AccessEntry& entry) {
    log.record(entry);
    log.flush();
    return written();
  }
};

AccessEntry entry() {
  AccessEntry e;
  e.peer = "127.0.0.1";
  e.method = "GET";
  e.target = "/";
  e.status = 200;
  e.bytes = 1234;
  e.duration_us = 321;
  return e;
}

}  // namespace

TEST_CASE("access log: combined format, times in UTC") {
  Harness h(AccessLog::Form::combined);
  auto e = entry();
  e.target = "/a%20b?x=1";
  e.referer = "http://example.org/";
  e.user_agent = "curl/7.88.1";
  CHECK(h.line(e) ==
        "127.0.0.1 - - [22/Nov/2026:12:01:40 +0000] \"GET /a%20b?x=1 HTTP/1.1\" 200 1234 "
        "\"http://example.org/\" \"curl/7.88.1\"\n");
  fake_now += 1;
  e = entry();
  e.version = 10;
  CHECK(h.line(e) ==
        "127.0.0.1 - - [22/Nov/2026:12:01:41 +0000] \"GET / HTTP/1.0\" 200 1234 \"-\" \"-\"\n");
}

TEST_CASE("access log: a request that could not be read has a dash") {
  Harness h(AccessLog::Form::combined);
  AccessEntry e;
  e.status = 400;
  CHECK(h.line(e) == "- - - [22/Nov/2026:12:01:40 +0000] \"-\" 400 0 \"-\" \"-\"\n");
}

TEST_CASE("access log: nothing a client sends can end a field or a line, or reach a terminal raw") {
  for (auto form : {AccessLog::Form::combined, AccessLog::Form::terminal}) {
    Harness h(form);
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
    auto e = entry();
    e.peer = e.method = e.target = e.referer = e.user_agent = all;
    auto text = h.line(e);
    CHECK(std::ranges::count(text, '\n') == 1);
    CHECK(text.ends_with('\n'));
    CHECK(std::ranges::all_of(text.substr(0, text.size() - 1),
                              [](char c) { return c >= 0x20 && c < 0x7f; }));
    if (form == AccessLog::Form::combined) CHECK(std::ranges::count(text, '"') == 6);
  }
  Harness h(AccessLog::Form::combined);
  auto e = entry();
  e.user_agent = "x\"\r\n\x1b[2J\\\x9b\xc3\xa9";
  CHECK(h.line(e).ends_with("\"x\\x22\\x0d\\x0a\\x1b[2J\\x5c\\x9b\\xc3\\xa9\"\n"));
}

TEST_CASE("access log: the longest line still fits what a pipe takes whole") {
  for (auto form : {AccessLog::Form::combined, AccessLog::Form::terminal}) {
    Harness h(form);
    std::string longest(100'000, '\x01');
    auto e = entry();
    e.peer = e.method = e.target = e.referer = e.user_agent = longest;
    e.status = 999;
    e.bytes = ~0ULL;
    e.duration_us = INT64_MAX;
    auto text = h.line(e);
    CHECK(text.size() <= NonblockingWriter::kMaxLine);
    CHECK(text.find("...") != std::string::npos);
    CHECK(std::ranges::count(text, '\n') == 1);
    CHECK(text.ends_with('\n'));
  }
}

TEST_CASE("access log: lines are gathered until flush") {
  Harness h(AccessLog::Form::combined);
  CHECK_FALSE(h.log.has_lines());
  h.log.record(entry());
  h.log.record(entry());
  CHECK(h.log.has_lines());
  CHECK(h.written().empty());
  h.log.flush();
  CHECK_FALSE(h.log.has_lines());
  CHECK(std::ranges::count(h.written(), '\n') == 2);
}

TEST_CASE("access log: a full pipe drops lines, counts them and does not block; then lines go on") {
  Harness h(AccessLog::Form::combined);
  ::fcntl(h.write.get(), F_SETPIPE_SZ, 4096);
  for (int i = 0; i < 3000; ++i) h.log.record(entry());
  h.log.flush();
  auto text = h.written();
  auto lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  CHECK(text.ends_with('\n'));
  CHECK(lines > 0);
  CHECK(lines + h.counters.log_dropped.get() == 3000);
  CHECK((::fcntl(h.write.get(), F_GETFL) & O_NONBLOCK) == 0);
  h.log.record(entry());
  h.log.flush();
  CHECK(std::ranges::count(h.written(), '\n') == 1);
}

TEST_CASE("access log: a full disk drops and counts") {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  WorkerCounters counters;
  AccessLog log(full.get(), AccessLog::Form::combined, false, counters);
  for (int i = 0; i < 10; ++i) log.record(entry());
  log.flush();
  CHECK(counters.log_dropped.get() == 10);
}

TEST_CASE("access log: the terminal form") {
  Harness h(AccessLog::Form::terminal);
  auto e = entry();
  CHECK(h.line(e) == "12:01:40  200 GET /                      1.2 KiB    0.3 ms\n");
  e.status = 404;
  e.target = "/favicon.ico";
  e.bytes = 120;
  e.duration_us = 100;
  CHECK(h.line(e) == "12:01:40  404 GET /favicon.ico             120 B    0.1 ms\n");
  e.target = "/a/target/longer/than/its/column";
  e.bytes = 5'368'709'120;
  e.duration_us = 12'345'678;
  CHECK(h.line(e) == "12:01:40  404 GET /a/target/longer/than/its/column  5.0 GiB    12.3 s\n");
}

TEST_CASE("access log: colour marks the status alone") {
  Harness h(AccessLog::Form::terminal, true);
  CHECK(h.line(entry()).starts_with("12:01:40  \x1b[32m200\x1b[0m GET / "));
}

TEST_CASE(
    "access log: the terminal form shows 50 lines a second, then says how many more there were") {
  Harness h(AccessLog::Form::terminal);
  for (int i = 0; i < 12'395; ++i) h.log.record(entry());
  h.log.flush();
  CHECK(std::ranges::count(h.written(), '\n') == 50);
  CHECK(h.log.has_lines());
  h.log.flush();
  CHECK(h.written().empty());

  SUBCASE("at a later flush") {
    fake_now += 1;
    h.log.flush();
    CHECK(h.written() == "12:01:40  … and 12,345 more in this second\n");
    CHECK_FALSE(h.log.has_lines());
  }
  SUBCASE("or before the next second's first line") {
    fake_now += 1;
    CHECK(h.line(entry()) ==
          "12:01:40  … and 12,345 more in this second\n"
          "12:01:41  200 GET /                      1.2 KiB    0.3 ms\n");
  }
  CHECK(h.counters.log_dropped.get() == 0);
}

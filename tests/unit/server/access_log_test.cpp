// SPDX-License-Identifier: Apache-2.0
#include "server/access_log.h"

#include "base/unique_fd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace std::chrono_literals;
using pronghorn::NonblockingWriter;
using pronghorn::UniqueFd;
using pronghorn::WorkerCounters;
using pronghorn::server::AccessEntry;
using pronghorn::server::AccessLog;
namespace config = pronghorn::config;

namespace {

constexpr std::int64_t kSecond = 1'000'000;
std::int64_t fake_now = 0;

AccessLog::Options combined(std::size_t buffer = 64 * 1024) {
  fake_now = 1'795'348'900 * kSecond;  // 2026-11-22 12:01:40 UTC
  return {.format = *config::parse_log_format("combined"), .buffer = buffer, .now = [] noexcept {
            return fake_now;
          }};
}

AccessLog::Options terminal(bool colour = false) {
  AccessLog::Options options = combined();
  options.format.reset();
  options.colour = colour;
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return options;
}

// A log into a pipe, at a time the test chooses.
struct Harness {
  WorkerCounters counters;
  UniqueFd read, write;
  AccessLog log;

  explicit Harness(AccessLog::Options options) : log(make_pipe(), std::move(options), counters) {}
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
  e.client = "127.0.0.1";
  e.method = "GET";
  e.target = "/";
  e.status = 200;
  e.body_bytes = 1234;
  e.duration_us = 321;
  return e;
}

}  // namespace

TEST_CASE("access log: lines are gathered until flush") {
  Harness h(combined());
  CHECK_FALSE(h.log.wait());
  h.log.record(entry());
  h.log.record(entry());
  CHECK(h.log.wait() == 0ms);
  CHECK(h.written().empty());
  h.log.flush();
  CHECK_FALSE(h.log.wait());
  CHECK(std::ranges::count(h.written(), '\n') == 2);
  CHECK(h.counters.log_lines.get() == 2);
}

TEST_CASE("access log: lines may wait longer, and are written when the buffer is full") {
  auto options = combined(16 * 1024);
  options.flush = 500ms;
  Harness h(std::move(options));
  h.log.record(entry());
  CHECK(h.log.wait() == 500ms);
  CHECK(h.written().empty());
  for (int i = 0; i < 500; ++i) h.log.record(entry());
  CHECK(std::ranges::count(h.written(), '\n') > 50);
  CHECK(h.counters.log_dropped.get() == 0);
}

TEST_CASE("access log: the end writes what waits") {
  WorkerCounters counters;
  UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  {
    AccessLog(file.get(), combined(), counters).record(entry());
  }
  CHECK(::lseek(file.get(), 0, SEEK_END) > 70);
  CHECK(counters.log_lines.get() == 1);
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  {
    AccessLog(full.get(), combined(), counters).record(entry());
  }
  CHECK(counters.log_dropped.get() == 1);
}

TEST_CASE(
    "access log: what a full pipe does not take waits, then is dropped, counted and never blocks") {
  Harness h(combined(16 * 1024));
  ::fcntl(h.write.get(), F_SETPIPE_SZ, 4096);
  for (int i = 0; i < 3000; ++i) h.log.record(entry());
  h.log.flush();
  CHECK(h.counters.log_dropped.get() > 2000);
  CHECK(h.counters.log_error.get() == EAGAIN);
  CHECK(h.log.wait() == 5ms);
  // Its reader wakes up: what waited is there, whole and in order.
  std::string text;
  for (int i = 0; h.log.wait() && i < 100; ++i) {
    text += h.written();
    h.log.flush();
  }
  text += h.written();
  auto lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  CHECK(text.ends_with('\n'));
  CHECK(lines == h.counters.log_lines.get());
  CHECK(lines + h.counters.log_dropped.get() == 3000);
  CHECK(h.counters.log_error.get() == 0);
  CHECK((::fcntl(h.write.get(), F_GETFL) & O_NONBLOCK) == 0);
  h.log.record(entry());
  h.log.flush();
  CHECK(std::ranges::count(h.written(), '\n') == 1);
}

TEST_CASE("access log: a full disk is tried again, and costs no write for each request") {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  WorkerCounters counters;
  {
    AccessLog log(full.get(), combined(), counters);
    for (int i = 0; i < 10; ++i) log.record(entry());
    log.flush();
    CHECK(counters.log_dropped.get() == 0);
    CHECK(counters.log_error.get() == ENOSPC);
    CHECK(log.wait() == 100ms);
  }
  CHECK(counters.log_dropped.get() == 10);
}

TEST_CASE(
    "access log: reopened, it writes what waits to the old file and the rest to the new one") {
  WorkerCounters counters;
  UniqueFd old_file(::memfd_create("old", MFD_CLOEXEC));
  UniqueFd new_file(::memfd_create("new", MFD_CLOEXEC));
  AccessLog log(old_file.get(), combined(), counters);
  log.record(entry());
  log.reopen(new_file.get());
  auto size = ::lseek(old_file.get(), 0, SEEK_END);
  CHECK(size > 70);
  log.record(entry());
  log.flush();
  CHECK(::lseek(old_file.get(), 0, SEEK_END) == size);
  CHECK(::lseek(new_file.get(), 0, SEEK_END) == size);

  SUBCASE("what the old one did not take goes to the new one") {
    UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    log.reopen(full.get());
    log.record(entry());
    log.flush();
    CHECK(counters.log_error.get() == ENOSPC);
    log.reopen(old_file.get());
    CHECK(::lseek(old_file.get(), 0, SEEK_END) == 2 * size);
    CHECK(counters.log_error.get() == 0);
    CHECK(counters.log_dropped.get() == 0);
  }
}

TEST_CASE("access log: a line that the disk cut is ended before the next, whoever writes that") {
  UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  WorkerCounters cutter_counters, other_counters;
  int cuts = 0;
  auto options = combined();
  options.on_cut = [&] {
    ++cuts;
    other_counters.log_torn.store(1);
  };
  AccessLog cutter(file.get(), std::move(options), cutter_counters);
  AccessLog other(file.get(), combined(), other_counters);
  cutter.record(entry());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small{10, before.rlim_max};
  auto* handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  cutter.flush();
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(cuts == 1);
  CHECK(cutter_counters.log_dropped.get() == 1);
  ::lseek(file.get(), 0, SEEK_END);
  other.record(entry());
  other.flush();
  std::array<char, 4096> text{};
  auto size = ::pread(file.get(), text.data(), text.size(), 0);
  CHECK(std::string_view(text.data(), static_cast<std::size_t>(size))
            .starts_with("127.0.0.1 \n127.0.0.1 - - ["));
}

TEST_CASE("access log: a line that the disk cut is ended before the next, reopened meanwhile") {
  UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
  ::fcntl(file.get(), F_SETFL, O_APPEND);
  UniqueFd same(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0));
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd read(ends[0]), other(ends[1]);  // a pipe knows no limit
  WorkerCounters counters;
  AccessLog log(file.get(), combined(), counters);
  log.record(entry());
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small{10, before.rlim_max};
  auto* handler = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  log.flush();
  log.record(entry());
  bool is_same = false;
  SUBCASE("the same file") { is_same = true; }
  SUBCASE("another, where nothing is to be ended") {}
  log.reopen(is_same ? same.get() : other.get());
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  log.flush();
  std::array<char, 4096> text{};
  auto size = is_same ? ::pread(file.get(), text.data(), text.size(), 0)
                      : ::read(read.get(), text.data(), text.size());
  CHECK(std::string_view(text.data(), static_cast<std::size_t>(size))
            .starts_with(is_same ? "127.0.0.1 \n127.0.0.1 - - [" : "127.0.0.1 - - ["));
}

TEST_CASE("access log: the terminal form") {
  Harness h(terminal());
  auto e = entry();
  CHECK(h.line(e) == "12:01:40  200 GET /                      1.2 KiB    0.3 ms\n");
  e.status = 404;
  e.target = "/favicon.ico";
  e.body_bytes = 120;
  e.duration_us = 100;
  CHECK(h.line(e) == "12:01:40  404 GET /favicon.ico             120 B    0.1 ms\n");
  e.target = "/a/target/longer/than/its/column";
  e.body_bytes = 5'368'709'120;
  e.duration_us = 12'345'678;
  CHECK(h.line(e) == "12:01:40  404 GET /a/target/longer/than/its/column  5.0 GiB    12.3 s\n");
}

TEST_CASE("access log: colour marks the status alone") {
  Harness h(terminal(true));
  CHECK(h.line(entry()).starts_with("12:01:40  \x1b[32m200\x1b[0m GET / "));
}

TEST_CASE(
    "access log: the terminal form shows 50 lines a second, then says how many more there were") {
  Harness h(terminal());
  for (int i = 0; i < 12'395; ++i) h.log.record(entry());
  h.log.flush();
  CHECK(std::ranges::count(h.written(), '\n') == 50);
  CHECK(h.log.wait() == 1000ms);
  h.log.flush();
  CHECK(h.written().empty());

  SUBCASE("at a later flush") {
    fake_now += kSecond;
    h.log.flush();
    CHECK(h.written() == "12:01:40  … and 12,345 more in this second\n");
    CHECK_FALSE(h.log.wait());
  }
  SUBCASE("or before the next second's first line") {
    fake_now += kSecond;
    CHECK(h.line(entry()) ==
          "12:01:40  … and 12,345 more in this second\n"
          "12:01:41  200 GET /                      1.2 KiB    0.3 ms\n");
  }
  CHECK(h.counters.log_dropped.get() == 0);
}

TEST_CASE("access log: a terminal gets no raw byte of a client's, and no endless line") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  for (const std::string& bytes : {all, std::string(100'000, '\x01')}) {
    Harness h(terminal());
    auto e = entry();
    e.client = e.method = e.target = bytes;
    auto text = h.line(e);
    CHECK(text.size() <= NonblockingWriter::kMaxLine);
    CHECK(std::ranges::count(text, '\n') == 1);
    CHECK(std::ranges::all_of(text.substr(0, text.size() - 1),
                              [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
}

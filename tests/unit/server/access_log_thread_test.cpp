// SPDX-License-Identifier: Apache-2.0
// The access log in a regular file, whose disk may hang: it is a thread that waits for it.
#include "base/unique_fd.h"
#include "server/access_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <utility>

using namespace std::chrono_literals;
using pronghorn::NonblockingWriter;
using pronghorn::UniqueFd;
using pronghorn::WorkerCounters;
using pronghorn::server::AccessEntry;
using pronghorn::server::AccessLog;
namespace config = pronghorn::config;

namespace {

// What writes, as a test tells it to.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  bool hangs = false;
  bool has_write = false;                      // one that hangs
  std::size_t takes = std::string_view::npos;  // of a write; whole lines
  int error = 0;
  std::atomic<int> writes = 0;
  std::thread::id writer;

  NonblockingWriter::Taken write(NonblockingWriter& to, std::string_view lines) {
    std::unique_lock lock(mutex);
    writer = std::this_thread::get_id();
    has_write = true;
    ++writes;
    changed.notify_all();
    changed.wait(lock, [&] { return !hangs; });
    has_write = false;
    const auto end = lines.size() <= takes ? lines.size() : lines.rfind('\n', takes) + 1;
    auto taken = to.write_some(lines.substr(0, end));
    if (end < lines.size()) taken.error = error;
    return taken;
  }
  void hang(bool now) {
    const std::scoped_lock lock(mutex);
    hangs = now;
    changed.notify_all();
  }
  void wait_for_write() {
    std::unique_lock lock(mutex);
    REQUIRE_MESSAGE(changed.wait_for(lock, 10s, [&] { return has_write; }), "no write was begun");
  }
};

struct Harness {
  std::shared_ptr<Disk> disk = std::make_shared<Disk>();  // the thread's as well
  WorkerCounters counters;
  UniqueFd file{::memfd_create("log", MFD_CLOEXEC)};
  std::unique_ptr<AccessLog> log;
  int number = 0;

  explicit Harness(std::size_t buffer = 32 * 1024) {
    AccessLog::Options options{.format = *config::parse_log_format("%r"), .buffer = buffer};
    options.in_thread = true;
    options.last_wait = 20ms;
    options.write = [disk = disk](auto& to, auto lines) { return disk->write(to, lines); };
    log = std::make_unique<AccessLog>(file.get(), std::move(options), counters);
  }
  void record(int count = 1) {
    for (int i = 0; i < count; ++i) {
      AccessEntry e;
      e.method = "GET";
      const std::string target = "/" + std::to_string(number++);
      e.target = target;
      log->record(e);
    }
  }
  // As the loop does it.
  template <class Done>
  void flush_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + 10s;
    do {
      log->flush();
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, "the log is not settled");
      std::this_thread::yield();
    } while (!done());
  }
  void settle() {
    flush_until([&] { return !log->wait(); });
  }
  static std::string text(int fd) {
    std::string all(1 << 20, '\0');
    all.resize(
        static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(fd, all.data(), all.size(), 0))));
    return all;
  }
  std::string text() const { return text(file.get()); }
  static std::string numbers(int from, int to) {
    std::string all;
    for (int i = from; i < to; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\n";
    return all;
  }
};

}  // namespace

TEST_CASE("access log thread: a regular file is written by another thread, in order") {
  Harness h;
  h.record(3);
  CHECK(h.log->wait() == 0ms);
  h.log->flush();
  CHECK(h.log->wait() == 10ms);
  h.record(3);
  CHECK(h.log->wait() == 10ms);  // not in this turn: the thread is woken so often at most
  h.settle();
  CHECK(h.text() == Harness::numbers(0, 6));
  CHECK(h.counters.log_lines.get() == 6);
  CHECK(h.disk->writer != std::this_thread::get_id());
}

TEST_CASE("access log thread: while the disk hangs lines wait, then are dropped and counted") {
  Harness h;
  h.disk->hang(true);
  h.record();
  h.log->flush();
  h.disk->wait_for_write();
  h.log->flush();
  CHECK(h.log->wait() == 10ms);
  h.record(5000);  // without waiting, or this test ends here
  const auto dropped = h.counters.log_dropped.get();
  CHECK(dropped > 4000);
  CHECK(h.counters.log_error.get() == EAGAIN);
  CHECK(h.counters.log_lines.get() == 0);
  h.disk->hang(false);
  h.settle();
  const int kept = 5001 - static_cast<int>(dropped);
  CHECK(h.text() == Harness::numbers(0, kept));
  CHECK(h.counters.log_lines.get() == static_cast<std::uint64_t>(kept));
  CHECK(h.counters.log_error.get() == 0);
  h.record();
  h.settle();
  CHECK(h.text().ends_with("GET /5001 HTTP/1.1\n"));
}

TEST_CASE("access log thread: a full buffer is given away before its time, and nothing is lost") {
  Harness h(64 * 1024);
  for (int i = 0; i < 200; ++i) {
    h.record(100);
    h.log->flush();
    if (i % 10 == 0) h.settle();
  }
  h.settle();
  CHECK(h.counters.log_lines.get() + h.counters.log_dropped.get() == 20'000);
  CHECK(static_cast<std::uint64_t>(std::ranges::count(h.text(), '\n')) ==
        h.counters.log_lines.get());
}

TEST_CASE("access log thread: what a full disk did not take comes first when it is tried again") {
  Harness h;
  h.disk->takes = 100;
  h.disk->error = ENOSPC;
  h.record(20);
  h.log->flush();
  h.flush_until([&] { return h.counters.log_error.get() == ENOSPC; });
  CHECK(h.log->wait() == 100ms);
  h.record(20);
  h.settle();
  CHECK(h.text() == Harness::numbers(0, 40));
  CHECK(h.counters.log_lines.get() == 40);
  CHECK(h.counters.log_dropped.get() == 0);
}

TEST_CASE("access log thread: a full disk is not tried again by each request") {
  Harness h;
  h.disk->takes = 0;
  h.disk->error = ENOSPC;
  h.record(5);
  h.log->flush();
  h.flush_until([&] { return h.counters.log_error.get() == ENOSPC; });
  const auto begin = std::chrono::steady_clock::now();
  const int before = h.disk->writes;
  h.record(5000);
  const auto tries = (std::chrono::steady_clock::now() - begin) / 100ms + 2;
  CHECK(h.disk->writes - before <= tries);
  CHECK(h.counters.log_dropped.get() > 0);
  {
    const std::scoped_lock lock(h.disk->mutex);
    h.disk->takes = std::string_view::npos;
  }
  h.settle();
  CHECK(h.counters.log_lines.get() + h.counters.log_dropped.get() == 5005);
}

TEST_CASE("access log thread: reopened, it is done with the old file when that was written") {
  Harness h;
  UniqueFd second(::memfd_create("second", MFD_CLOEXEC)),
      third(::memfd_create("third", MFD_CLOEXEC));
  h.disk->hang(true);
  h.record(2);
  h.log->flush();
  h.disk->wait_for_write();
  h.log->reopen(second.get());
  h.record(2);
  h.log->flush();
  CHECK_FALSE(h.log->is_reopened());

  SUBCASE("once") {
    h.disk->hang(false);
    h.flush_until([&] { return h.log->is_reopened(); });
    h.settle();
    CHECK(h.text() == Harness::numbers(0, 2));
    CHECK(Harness::text(second.get()) == Harness::numbers(2, 4));
  }
  SUBCASE("twice meanwhile: the last one counts") {
    h.log->reopen(third.get());
    h.disk->hang(false);
    h.flush_until([&] { return h.log->is_reopened(); });
    h.settle();
    CHECK(h.text() == Harness::numbers(0, 2));
    CHECK(Harness::text(second.get()).empty());
    CHECK(Harness::text(third.get()) == Harness::numbers(2, 4));
  }
  SUBCASE("what waits goes to the old file, when that takes it") {
    h.disk->hang(false);
    h.settle();
    h.record(2);
    h.log->reopen(third.get());
    h.flush_until([&] { return h.log->is_reopened(); });
    h.settle();
    CHECK(Harness::text(second.get()) == Harness::numbers(2, 6));
    CHECK(Harness::text(third.get()).empty());
  }
}

TEST_CASE("access log thread: the end writes all that waits") {
  Harness h;
  h.record(2);
  h.log->flush();
  h.record(2);
  h.log.reset();
  CHECK(h.text() == Harness::numbers(0, 4));
  CHECK(h.counters.log_lines.get() == 4);
}

TEST_CASE("access log thread: the end does not wait for a disk that hangs") {
  Harness h;
  h.disk->hang(true);
  h.record(2);
  h.log->flush();
  h.disk->wait_for_write();
  h.record(3);
  h.log.reset();
  CHECK(h.counters.log_dropped.get() == 5);
  h.disk->hang(false);  // its thread ends by itself
}

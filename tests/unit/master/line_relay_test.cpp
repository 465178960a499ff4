// SPDX-License-Identifier: Apache-2.0
#include "master/line_relay.h"

#include "support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace pronghorn;
using master::LineOutput;
using master::LineRelay;
using process::Stream;

namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  UniqueFd read;
  UniqueFd write;
};

/// What can be read now.
std::string available(int fd) {
  std::string text;
  int waiting = 0;
  while (::ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0) {
    std::array<char, 65536> bytes{};
    const ssize_t n = ::read(fd, bytes.data(), bytes.size());
    if (n <= 0) break;
    text.append(bytes.data(), static_cast<std::size_t>(n));
  }
  return text;
}

void put(const UniqueFd& fd, std::string_view text) {
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

/// A worker's standard output, and ours.
struct Relayed {
  explicit Relayed(Loop& loop, int target = -1)
      : output(loop, target < 0 ? ours.write.get() : target),
        stream(Stream::open(loop, std::move(worker.read), Stream::Sides::readable).value()),
        relay(std::in_place, stream, output, "worker 3") {
    ::signal(SIGPIPE, SIG_IGN);
  }
  Pipe ours;
  Pipe worker;
  LineOutput output;
  Stream stream;
  std::optional<LineRelay> relay;
};

}  // namespace

TEST_CASE("relay: each line has its worker's name in front, however the bytes come") {
  Loop loop;
  Relayed r(loop);
  std::string seen;
  put(r.worker.write, "one\ntw");
  REQUIRE(test::run_until(
      loop, [&] { return (seen += available(r.ours.read.get())).ends_with("one\n"); }));
  CHECK(seen == "worker 3 | one\n");
  put(r.worker.write, "o\n\nthree\n");
  REQUIRE(test::run_until(
      loop, [&] { return (seen += available(r.ours.read.get())).ends_with("three\n"); }));
  CHECK(seen == "worker 3 | one\nworker 3 | two\nworker 3 | \nworker 3 | three\n");
}

TEST_CASE("relay: what is left without a line feed at the end becomes a line") {
  Loop loop;
  Relayed r(loop);
  put(r.worker.write, "last words");
  r.worker.write.reset();
  std::string seen;
  REQUIRE(test::run_until(loop, [&] { return !(seen += available(r.ours.read.get())).empty(); }));
  CHECK(seen == "worker 3 | last words\n");
}

TEST_CASE("relay: the same when the worker is given up before its output has ended") {
  Loop loop;
  Relayed r(loop);
  put(r.worker.write, "x\nlast words");
  std::string seen;
  REQUIRE(test::run_until(loop, [&] { return !(seen += available(r.ours.read.get())).empty(); }));
  r.relay.reset();
  seen += available(r.ours.read.get());
  CHECK(seen == "worker 3 | x\nworker 3 | last words\n");
}

TEST_CASE("relay: a line over 64 KiB comes in pieces, and not a byte of it is lost") {
  Loop loop;
  Relayed r(loop);
  const std::string line(LineRelay::kMaxLine + 10, 'a');
  std::string seen;
  std::size_t sent = 0;
  REQUIRE(::fcntl(r.worker.write.get(), F_SETFL, O_NONBLOCK) == 0);
  REQUIRE(test::run_until(loop, [&] {
    const std::string all = line + "\n";
    if (sent < all.size()) {
      const ssize_t n = ::write(r.worker.write.get(), all.data() + sent, all.size() - sent);
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
    seen += available(r.ours.read.get());
    return std::count(seen.begin(), seen.end(), '\n') == 2;
  }));
  const std::string name = "worker 3 | ";
  CHECK(seen == name + std::string(LineRelay::kMaxLine, 'a') + "\n" + name + "aaaaaaaaaa\n");
}

TEST_CASE("relay: a worker waits while our output is full, and nothing is lost") {
  Loop loop;
  Relayed r(loop);
  REQUIRE(::fcntl(r.worker.write.get(), F_SETFL, O_NONBLOCK) == 0);
  std::string sent;
  int numbered = 0;
  int refused = 0;
  // Nobody reads: the worker is stuck in the end, and we hold little.
  REQUIRE(test::run_until(loop, [&] {
    ++refused;
    while (true) {
      const std::string line = "line " + std::to_string(numbered) + "\n";
      if (::write(r.worker.write.get(), line.data(), line.size()) <= 0) break;
      sent += "worker 3 | " + line;
      ++numbered;
      refused = 0;
    }
    return refused > 50;
  }));
  CHECK(r.output.is_full());
  CHECK(r.stream.is_paused());
  CHECK(sent.size() < 1'500'000);
  std::string seen;
  REQUIRE(test::run_until(
      loop, [&] { return (seen += available(r.ours.read.get())).size() == sent.size(); }));
  CHECK(seen == sent);
  CHECK_FALSE(r.output.is_full());
}

TEST_CASE("relay: no flag is set on the descriptor, which belongs to others as well") {
  Loop loop;
  for (const bool socket : {false, true}) {
    int ends[2];
    REQUIRE((socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : ::pipe(ends)) == 0);
    UniqueFd read(ends[0]);
    UniqueFd write(ends[1]);
    const int flags = ::fcntl(write.get(), F_GETFL);
    LineOutput output(loop, write.get());
    const std::string line = std::string(1000, 'x') + "\n";
    while (!output.is_full()) output.write(line);
    REQUIRE(uv_run(loop.native(), UV_RUN_NOWAIT) >= 0);
    CHECK(::fcntl(write.get(), F_GETFL) == flags);
    bool freed = false;
    const auto waiter = output.add([&] { freed = true; });
    std::string seen;
    REQUIRE(test::run_until(loop, [&] {
      seen += available(read.get());
      return freed;
    }));
    output.remove(waiter);
    CHECK(seen.size() % line.size() == 0);
  }
}

TEST_CASE("relay: with nobody behind our output the worker goes on") {
  Loop loop;
  Relayed r(loop);
  r.ours.read.reset();
  for (int i = 0; i < 40; ++i) {
    put(r.worker.write, std::string(50'000, 'x') + "\n");
    REQUIRE(test::run_until(loop, [&] {
      int waiting = 1;
      return ::ioctl(r.stream.fd(), FIONREAD, &waiting) == 0 && waiting == 0;
    }));
  }
  CHECK_FALSE(r.output.is_full());
}

TEST_CASE("relay: into a file whole lines are appended") {
  Loop loop;
  char name[] = "/tmp/pronghorn-lines-XXXXXX";
  UniqueFd file(::mkstemp(name));
  ::unlink(name);
  Relayed r(loop, file.get());
  put(r.worker.write, "a\nb\n");
  REQUIRE(test::run_until(loop, [&] { return ::lseek(file.get(), 0, SEEK_END) == 26; }));
  std::array<char, 64> bytes{};
  CHECK(::pread(file.get(), bytes.data(), bytes.size(), 0) == 26);
  CHECK(std::string_view(bytes.data(), 26) == "worker 3 | a\nworker 3 | b\n");
}

TEST_CASE("relay: in the journal a line's priority stays in front") {
  Loop loop;
  Pipe journal;
  struct stat about{};
  REQUIRE(::fstat(journal.write.get(), &about) == 0);
  const std::string stream = std::to_string(about.st_dev) + ":" + std::to_string(about.st_ino);
  ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
  Relayed r(loop, journal.write.get());
  put(r.worker.write, "<3>wrong\n<9>x\nplain\n");
  std::string seen;
  REQUIRE(test::run_until(
      loop, [&] { return (seen += available(journal.read.get())).ends_with("plain\n"); }));
  CHECK(seen == "<3>worker 3 | wrong\nworker 3 | <9>x\nworker 3 | plain\n");
}

// SPDX-License-Identifier: Apache-2.0
#include "base/nonblocking_writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

using pronghorn::NonblockingWriter;
using pronghorn::UniqueFd;

namespace {

struct Pipe {
  UniqueFd read, write;
  Pipe() {
    int fds[2];
    REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
    read.reset(fds[0]);
    write.reset(fds[1]);
  }
};

std::string read_available(int fd) {
  std::string text;
  std::array<char, 8192> buffer;
  int waiting = 0;
  while (::ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0) {
    auto n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

UniqueFd temporary_file() {
  char path[] = "/tmp/pronghorn-writer-XXXXXX";
  UniqueFd file(::mkstemp(path));
  REQUIRE(file);
  ::unlink(path);
  return file;
}

std::string contents(int fd) {
  std::string text(65536, '\0');
  auto n = ::pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

std::string line_of(char c, std::size_t size) { return std::string(size - 1, c) + "\n"; }

}  // namespace

TEST_CASE("nonblocking writer: lines reach a pipe, and the shared description stays blocking") {
  Pipe pipe;
  NonblockingWriter writer(pipe.write.get());
  CHECK(writer.write("one\ntwo\n") == 0);
  CHECK(read_available(pipe.read.get()) == "one\ntwo\n");
  CHECK_FALSE(is_nonblocking(pipe.write.get()));
}

TEST_CASE("nonblocking writer: a full pipe drops whole lines, counts them, and recovers") {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  ::fcntl(pipe.write.get(), F_SETPIPE_SZ, 4096);
  NonblockingWriter writer(pipe.write.get());
  std::string many;
  for (int i = 0; i < 40; ++i) many += line_of(static_cast<char>('a' + i % 26), 1000);
  std::size_t dropped = writer.write(many);
  std::string got = read_available(pipe.read.get());
  CHECK(dropped > 0);
  CHECK(static_cast<std::size_t>(std::ranges::count(got, '\n')) + dropped == 40);
  CHECK(many.starts_with(got));
  CHECK(got.ends_with('\n'));
  CHECK(writer.write("again\n") == 0);
  CHECK(read_available(pipe.read.get()) == "again\n");
}

TEST_CASE("nonblocking writer: lines of two processes in one pipe are never mixed") {
  Pipe pipe;
  constexpr int kLines = 400;
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    NonblockingWriter writer(pipe.write.get());
    std::string batch = line_of('c', 700) + line_of('c', 900) + line_of('c', 3000);
    for (int i = 0; i < kLines; ++i) writer.write(batch);
    ::_exit(0);
  }
  NonblockingWriter writer(pipe.write.get());
  std::string batch = line_of('p', 800) + line_of('p', 2000) + line_of('p', 2500);
  std::string got;
  int status = 0;
  bool child_runs = true;
  for (int i = 0; i < kLines || child_runs; ++i) {
    if (i < kLines) writer.write(batch);
    got += read_available(pipe.read.get());
    child_runs = child_runs && ::waitpid(child, &status, WNOHANG) == 0;
  }
  got += read_available(pipe.read.get());
  CHECK(status == 0);
  std::size_t seen_child = 0, seen_parent = 0;
  for (std::size_t at = 0; at < got.size();) {
    auto end = got.find('\n', at);
    REQUIRE(end != std::string::npos);
    std::string line = got.substr(at, end + 1 - at);
    bool is_child = line[0] == 'c';
    (is_child ? seen_child : seen_parent) += 1;
    REQUIRE(line == line_of(line[0], line.size()));
    REQUIRE((is_child ? (line.size() == 700 || line.size() == 900 || line.size() == 3000)
                      : (line.size() == 800 || line.size() == 2000 || line.size() == 2500)));
    at = end + 1;
  }
  CHECK(seen_child > 0);
  CHECK(seen_parent > 0);
}

TEST_CASE("nonblocking writer: a pipe without reader drops") {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  NonblockingWriter writer(pipe.write.get());
  pipe.read.reset();
  CHECK(writer.write("one\ntwo\n") == 2);
  SUBCASE("also when it was so from the start") {
    NonblockingWriter late(pipe.write.get());
    CHECK(late.write("one\n") == 1);
  }
}

TEST_CASE("nonblocking writer: a full device drops and counts") {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  NonblockingWriter writer(full.get());
  CHECK(writer.write("one\ntwo\nthree\n") == 3);
  CHECK(writer.write("four\n") == 1);
}

TEST_CASE("nonblocking writer: a line cut by a full disk is closed off, then lines go on") {
  ::signal(SIGXFSZ, SIG_IGN);
  UniqueFd file = temporary_file();
  NonblockingWriter writer(file.get());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small{10, before.rlim_max};  // a short write, then EFBIG, as a disk that fills up
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK(writer.write("first\nsecond\nthird\n") == 2);
  CHECK(writer.write("fourth\n") == 1);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(writer.write("fifth\n") == 0);
  CHECK(writer.write("sixth\n") == 0);
  CHECK(contents(file.get()) == "first\nseco\nfifth\nsixth\n");
}

TEST_CASE("nonblocking writer: a file shared with standard output is not overwritten") {
  UniqueFd file = temporary_file();
  UniqueFd stdout_like(::dup(file.get()));
  NonblockingWriter writer(file.get());
  CHECK(writer.write("log one\n") == 0);
  CHECK(::write(stdout_like.get(), "ready\n", 6) == 6);
  CHECK(writer.write("log two\n") == 0);
  CHECK(contents(file.get()) == "log one\nready\nlog two\n");
}

TEST_CASE("nonblocking writer: a full socket drops without waiting") {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  UniqueFd ours(pair[0]), theirs(pair[1]);
  NonblockingWriter writer(ours.get());
  std::string batch;
  for (int i = 0; i < 100; ++i) batch += line_of('s', 2000);
  std::size_t dropped = 0;
  std::size_t sent = 0;
  for (int i = 0; i < 20 && dropped == 0; ++i, sent += 100) dropped = writer.write(batch);
  CHECK(dropped > 0);
  std::string got = read_available(theirs.get());
  CHECK(got.ends_with('\n'));
  CHECK(static_cast<std::size_t>(std::ranges::count(got, '\n')) + dropped == sent);
  CHECK(writer.write("again\n") == 0);
  CHECK_FALSE(is_nonblocking(ours.get()));
  theirs.reset();
  CHECK(writer.write("gone\n") == 1);
}

TEST_CASE(
    "nonblocking writer: a terminal that is stopped (Ctrl-S) drops, and goes on after Ctrl-Q") {
  UniqueFd control(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(control);
  REQUIRE(::grantpt(control.get()) == 0);
  REQUIRE(::unlockpt(control.get()) == 0);
  UniqueFd terminal(::open(::ptsname(control.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal);
  NonblockingWriter writer(terminal.get());
  CHECK(writer.write("shown\n") == 0);
  REQUIRE(::tcflow(terminal.get(), TCOOFF) == 0);
  CHECK(writer.write("hidden\n") == 1);
  REQUIRE(::tcflow(terminal.get(), TCOON) == 0);
  CHECK(writer.write("shown again\n") == 0);
  CHECK_FALSE(is_nonblocking(terminal.get()));
}

TEST_CASE("nonblocking writer: a descriptor that is not open drops") {
  NonblockingWriter writer(-1);
  CHECK(writer.write("one\n") == 1);
}

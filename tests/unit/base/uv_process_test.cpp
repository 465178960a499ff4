// SPDX-License-Identifier: Apache-2.0
#include "base/unique_fd.h"
#include "base/uv/process.h"
#include "run_until.h"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace pronghorn;
using testing::run_until;

namespace {

struct Exit {
  int code = -2;
  int signal = -2;
};

uv::Process::Options command(std::vector<std::string> args) {
  uv::Process::Options options;
  options.file = args.front();
  options.args = std::move(args);
  return options;
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  UniqueFd out;
  UniqueFd in;
};

// Runs a shell line with descriptors as given; place 1 is -2 there, and its output is returned.
std::string output(const std::string& line, std::vector<int> descriptors = {-1, -2, -1}) {
  Loop loop;
  Pipe pipe;
  auto options = command({"sh", "-c", line});
  for (int& fd : descriptors) {
    if (fd == -2) fd = pipe.in.get();
  }
  options.descriptors = descriptors;
  std::optional<Exit> exit;
  auto child = uv::Process::spawn(loop, options, [&](int c, int s) { exit = {c, s}; });
  REQUIRE(child);
  REQUIRE(run_until(loop, [&] { return exit.has_value(); }));
  CHECK(exit->code == 0);
  std::string text(65536, '\0');
  ::fcntl(pipe.out.get(), F_SETFL, O_NONBLOCK);
  ssize_t n = ::read(pipe.out.get(), text.data(), text.size());
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return text;
}

// Whether no child of ours, running or zombie, is left.
bool childless() {
  return ::waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

void refuse_pidfd_open() {
  std::array<sock_filter, 4> code{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_pidfd_open},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EMFILE},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

}  // namespace

TEST_CASE("process: an exit code or a signal, exactly one") {
  Loop loop;
  std::optional<Exit> exit;
  auto on_exit = [&](int code, int signal) { exit = {code, signal}; };
  auto child = uv::Process::spawn(loop, command({"sh", "-c", "exit 7"}), on_exit);
  REQUIRE(child);
  REQUIRE(run_until(loop, [&] { return exit.has_value(); }));
  CHECK(exit->code == 7);
  CHECK(exit->signal == 0);
  CHECK_FALSE(child->kill(SIGTERM));

  exit.reset();
  child = uv::Process::spawn(loop, command({"sleep", "1000"}), on_exit);
  REQUIRE(child);
  CHECK(child->pid() > 0);
  CHECK(child->kill(SIGTERM));
  REQUIRE(run_until(loop, [&] { return exit.has_value(); }));
  CHECK(exit->code == -1);
  CHECK(exit->signal == SIGTERM);
}

TEST_CASE("process: a program that is not there is an error, and leaves nothing behind") {
  Loop loop;
  auto child =
      uv::Process::spawn(loop, command({"/nonexistent/program"}), [](int, int) { FAIL("called"); });
  REQUIRE_FALSE(child);
  CHECK(child.error().errno_value() == ENOENT);
  CHECK(child.error().message() ==
        "cannot start '/nonexistent/program': no such file or directory");
  testing::turn(loop);
  CHECK(childless());
}

TEST_CASE("process: environment and folder are the given ones") {
  Loop loop;
  Pipe pipe;
  auto options = command({"sh", "-c", "echo \"$A $(pwd) $HOME\""});
  options.env = {{"A=b c", "PATH=/usr/bin:/bin"}};
  options.cwd = "/usr";
  options.descriptors = {-1, pipe.in.get(), 2};
  bool ended = false;
  auto child = uv::Process::spawn(loop, options, [&](int, int) { ended = true; });
  REQUIRE(child);
  REQUIRE(run_until(loop, [&] { return ended; }));
  std::array<char, 100> text{};
  CHECK(::read(pipe.out.get(), text.data(), text.size()) == 10);
  CHECK(std::string_view(text.data()) == "b c /usr \n");
}

TEST_CASE("process: signals that we ignore or block are neither in the child") {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  // SIGCHLD must reach libuv.
  ::sigemptyset(&all);
  ::sigaddset(&all, SIGCHLD);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
  auto text = output("exec grep -E '^Sig(Blk|Ign):' /proc/self/status");
  CHECK(text == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("process: the child has the descriptors that it was given and no other") {
  // One of ours that is not close-on-exec, as a careless parent leaves them.
  UniqueFd leaked(::fcntl(0, F_DUPFD, 20));
  Pipe extra;
  std::string list = "for f in /proc/self/fd/*; do test -e $f && printf '%s ' ${f##*/}; done; true";
  SUBCASE("the usual three") { CHECK(output(list) == "0 1 2 "); }
  SUBCASE("a place left out, and one more") {
    CHECK(output(list, {-1, -2, -1, -1, extra.in.get()}) == "0 1 2 4 ");
  }
  SUBCASE("one at its own number") {
    UniqueFd at_five(::fcntl(extra.in.get(), F_DUPFD_CLOEXEC, 5));
    std::vector<int> descriptors(static_cast<std::size_t>(at_five.get()) + 1, -1);
    descriptors[1] = -2;
    descriptors.back() = at_five.get();
    CHECK(output(list, descriptors) == "0 1 2 " + std::to_string(at_five.get()) + " ");
  }
  SUBCASE("one that must be copied before its number is taken") {
    CHECK(output(list, {-1, -2, -1, 0, 1}) == "0 1 2 3 4 ");
  }
}

TEST_CASE("process: two places may swap their descriptors") {
  Pipe a;
  Pipe b;
  int low = std::min(a.in.get(), b.in.get());
  int high = std::max(a.in.get(), b.in.get());
  std::vector<int> descriptors(static_cast<std::size_t>(high) + 1, -1);
  descriptors[1] = -2;
  descriptors[static_cast<std::size_t>(low)] = high;
  descriptors[static_cast<std::size_t>(high)] = low;
  auto n = [](int fd) { return std::to_string(fd); };
  output("printf low >&" + n(low) + "; printf high >&" + n(high), descriptors);
  std::array<char, 10> text{};
  UniqueFd& of_high = a.in.get() == high ? a.out : b.out;
  CHECK(::read(of_high.get(), text.data(), text.size()) == 3);
  CHECK(std::string_view(text.data()) == "low");
}

TEST_CASE(
    "process: an owner may go in its callback, or before, and the child is reaped all the same") {
  Loop loop;
  std::optional<uv::Process> child;
  bool called = false;
  auto spawned = uv::Process::spawn(loop, command({"true"}), [&](int, int) {
    called = true;
    child.reset();
  });
  REQUIRE(spawned);
  child = std::move(*spawned);
  SUBCASE("in its callback") {
    REQUIRE(run_until(loop, [&] { return called; }));
  }
  SUBCASE("before") {
    child.reset();
    CHECK(loop.run() == 0);  // nothing that keeps it running
    REQUIRE(run_until(loop, [] { return childless(); }));
    CHECK_FALSE(called);
  }
  CHECK(childless());
}

TEST_CASE("process: a loop may end before a child whose owner has gone") {
  Pipe hold;
  {
    Loop loop;
    auto options = command({"cat"});
    options.descriptors = {hold.out.get(), -1, -1};
    REQUIRE(uv::Process::spawn(loop, options, [](int, int) { FAIL("called"); }));
  }
  hold.out.reset();
  hold.in.reset();  // cat ends
  CHECK(::waitpid(-1, nullptr, 0) > 0);
}

TEST_CASE("process: a child that could never be signalled is an error, ended and reaped") {
  refuse_pidfd_open();
  Loop loop;
  auto child =
      uv::Process::spawn(loop, command({"sleep", "1000"}), [](int, int) { FAIL("called"); });
  REQUIRE_FALSE(child);
  CHECK(child.error().errno_value() == EMFILE);
  REQUIRE(run_until(loop, [] { return childless(); }));
}

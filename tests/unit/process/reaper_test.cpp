// SPDX-License-Identifier: Apache-2.0
#include "launch_support.h"

#include <csignal>
#include <cstddef>
#include <fstream>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <memory>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::process;
using pronghorn::test::is_childless;
using pronghorn::test::Pipe;
using pronghorn::test::plan;
using pronghorn::test::shell;
using testing::run_until;

namespace {

Reaper start(Loop& loop, const LaunchPlan& what, Reaper::OnExit on_exit) {
  auto launched = launch(what);
  REQUIRE(launched.has_value());
  auto reaper = Reaper::watch(loop, std::move(*launched), std::move(on_exit));
  REQUIRE(reaper.has_value());
  return std::move(*reaper);
}

void refuse_epoll_ctl() {
  std::array<sock_filter, 4> code{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_epoll_ctl},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSPC},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/// The letter of /proc/PID/stat: T is stopped.
char state_of(int pid) {
  std::string text;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), text);
  return text.at(text.rfind(')') + 2);
}

}  // namespace

TEST_CASE("reaper: an exit code or a signal, exactly one, and once") {
  Loop loop;
  std::optional<Exit> exit;
  int calls = 0;
  auto on_exit = [&](const Exit& e) {
    exit = e;
    ++calls;
  };
  SUBCASE("a code") {
    auto child = start(loop, shell("exit 7"), on_exit);
    loop.run();
    CHECK(exit == Exit{.code = 7});
    CHECK_FALSE(child.is_running());
    CHECK(child.kill(SIGTERM) == ESRCH);
    CHECK(child.kill(0) == ESRCH);
  }
  SUBCASE("a signal") {
    auto child = start(loop, plan({"sleep", "1000"}), on_exit);
    CHECK(child.pid() > 0);
    CHECK(child.is_running());
    CHECK(child.kill(0) == 0);
    CHECK(child.kill(1000) == EINVAL);
    CHECK(child.kill(SIGTERM) == 0);
    loop.run();
    CHECK(exit == Exit{.signal = SIGTERM});
  }
  SUBCASE("one that was dead before it was watched") {
    auto launched = launch(plan({"true"}));
    REQUIRE(launched.has_value());
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(launched->pid), &info, WEXITED | WNOWAIT);
    auto child = Reaper::watch(loop, std::move(*launched), on_exit);
    REQUIRE(child.has_value());
    CHECK(calls == 0);
    loop.run();
    CHECK(exit == Exit{.code = 0});
  }
  CHECK(calls == 1);
  CHECK(is_childless());
}

TEST_CASE("reaper: a child that is stopped or continued has not ended") {
  Loop loop;
  std::optional<Exit> exit;
  auto child = start(loop, plan({"sleep", "1000"}), [&](const Exit& e) { exit = e; });
  CHECK(child.kill(SIGSTOP) == 0);
  REQUIRE(run_until(loop, [&] { return state_of(child.pid()) == 'T'; }));
  CHECK(child.kill(SIGCONT) == 0);
  REQUIRE(run_until(loop, [&] { return state_of(child.pid()) != 'T'; }));
  testing::turn(loop);
  CHECK_FALSE(exit.has_value());
  CHECK(child.is_running());
  child.kill(SIGKILL);
  loop.run();
  CHECK(exit == Exit{.signal = SIGKILL});
}

TEST_CASE("reaper: its owner may go in the callback, or before, and the child is reaped anyway") {
  Loop loop;
  std::optional<Reaper> child;
  bool called = false;
  child = start(loop, plan({"true"}), [&](const Exit&) {
    called = true;
    child.reset();
  });
  SUBCASE("in the callback") {
    loop.run();
    CHECK(called);
  }
  SUBCASE("before") {
    child.reset();
    CHECK(loop.run() == 0);  // nothing that keeps it running
    REQUIRE(run_until(loop, [] { return is_childless(); }));
    CHECK_FALSE(called);
  }
  SUBCASE("by another one taking its place") {
    bool other = false;
    child = start(loop, plan({"true"}), [&](const Exit&) { other = true; });
    REQUIRE(run_until(loop, [&] { return other && is_childless(); }));
    CHECK_FALSE(called);
    CHECK_FALSE(child->is_running());
  }
  CHECK(is_childless());
}

TEST_CASE("reaper: what a callback holds is freed when it was called, and when it never will be") {
  Loop loop;
  auto held = std::make_shared<int>(1);
  auto child = start(loop, plan({"true"}), [held](const Exit&) {});
  CHECK(held.use_count() == 2);
  SUBCASE("called") { loop.run(); }
  SUBCASE("never") { auto gone = std::move(child); }
  CHECK(held.use_count() == 1);
}

TEST_CASE("reaper: an unref'd child does not keep the loop, and a ref'd one does again") {
  Loop loop;
  bool ended = false;
  Pipe hold;
  auto what = plan({"cat"});
  what.descriptors = {hold.out.get(), -1, -1};
  auto child = start(loop, what, [&](const Exit&) { ended = true; });
  child.unref();
  loop.run();
  CHECK_FALSE(ended);
  child.ref();
  hold.in.reset();  // cat ends
  loop.run();
  CHECK(ended);
  child.ref();  // of one that has ended: nothing
  child.unref();
}

TEST_CASE("reaper: a loop may end before a child whose owner has gone") {
  Pipe hold;
  {
    Loop loop;
    auto what = plan({"cat"});
    what.descriptors = {hold.out.get(), -1, -1};
    start(loop, what, [](const Exit&) { FAIL("called"); });
  }
  hold.in.reset();  // cat ends
  CHECK(::waitpid(-1, nullptr, 0) > 0);
}

TEST_CASE("reaper: an end that somebody else has collected is told as ECHILD") {
  Loop loop;
  std::optional<Exit> exit;
  auto on_exit = [&](const Exit& e) { exit = e; };
  SUBCASE("the kernel, as SIGCHLD is ignored") {
    ::signal(SIGCHLD, SIG_IGN);
    auto child = start(loop, shell("exit 3"), on_exit);
    loop.run();
    ::signal(SIGCHLD, SIG_DFL);
  }
  SUBCASE("waitpid of the program's") {
    auto child = start(loop, shell("exit 3"), on_exit);
    CHECK(::waitpid(child.pid(), nullptr, 0) == child.pid());
    loop.run();
  }
  CHECK(exit == Exit{.code = -ECHILD});
}

TEST_CASE("reaper: a child that cannot be watched is an error, ended and reaped") {
  Loop loop;
  int turns = 0;
  REQUIRE(run_until(loop, [&] { return ++turns > 3; }));  // libuv watches its own from here on
  auto launched = launch(plan({"sleep", "1000"}));
  REQUIRE(launched.has_value());
  refuse_epoll_ctl();
  auto child = Reaper::watch(loop, std::move(*launched), [](const Exit&) { FAIL("called"); });
  REQUIRE_FALSE(child.has_value());
  CHECK(child.error().errno_value() == ENOSPC);
  CHECK(is_childless());
}

TEST_CASE("reaper: 200 children at once, each told, and no descriptor or zombie stays") {
  Loop loop;
  auto before = test::count_descriptors();
  std::vector<Reaper> children;
  std::array<int, 200> codes{};
  for (int n = 0; n < 200; ++n) {
    auto what = shell("exit " + std::to_string(n));
    children.push_back(start(loop, what, [&codes, n](const Exit& e) {
      codes.at(static_cast<std::size_t>(n)) = e.code.value_or(-1) + 1;
    }));
  }
  loop.run();
  for (int n = 0; n < 200; ++n) CHECK(codes.at(static_cast<std::size_t>(n)) == n + 1);
  CHECK(is_childless());
  CHECK(test::count_descriptors() == before);
}

TEST_CASE("reaper: 500 children in sequence leave no descriptor and no zombie") {
  Loop loop;
  auto before = test::count_descriptors();
  int ended = 0;
  std::optional<Reaper> child;
  std::function<void()> next = [&] {
    child = start(loop, plan({"true"}), [&](const Exit& e) {
      CHECK(e == Exit{.code = 0});
      if (++ended < 500) next();
    });
  };
  next();
  loop.run();
  CHECK(ended == 500);
  child.reset();
  CHECK(is_childless());
  CHECK(test::count_descriptors() == before);
}

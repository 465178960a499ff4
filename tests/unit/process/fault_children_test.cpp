// SPDX-License-Identifier: Apache-2.0
// Many children, and children that cannot be started: nothing of them stays.
#include "tests/unit/process/fault_support.h"

#include <chrono>
#include <sys/resource.h>

using namespace pronghorn;
using namespace pronghorn::test;
using process::Stdio;

TEST_CASE("fault: 10,000 children in sequence leave no descriptor and no zombie") {
  const int wanted = 10000;
  // Less than CTest's time for a test: too few is a better word than a timeout.
  const auto stop_at = std::chrono::steady_clock::now() + std::chrono::seconds(50);
  const auto before = open_descriptors();
  int good = 0;
  {
    Loop loop;
    std::optional<process::ChildProcess> child;
    process::SpawnOptions options;
    options.stdio = Stdio::ignore;
    std::function<void()> next = [&] {
      auto made = process::spawn(loop, "/bin/true", {}, options);
      REQUIRE(made.has_value());
      child = std::move(*made);
      child->on_close([&](const process::Exit& e) {
        REQUIRE(e == process::Exit{.code = 0});
        if (++good < wanted && std::chrono::steady_clock::now() < stop_at) next();
      });
    };
    next();
    loop.run();
  }
  CHECK(open_descriptors() == before);
  CHECK(is_childless());
  CHECK(good == wanted);
}

TEST_CASE("fault: 200 children at once leave no descriptor and no zombie") {
  const auto before = open_descriptors();
  {
    Loop loop;
    std::vector<Child> children(200);
    for (auto& child : children) {
      child.spawn(loop, "cat", {}, {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::ignore}});
      child.read();
    }
    for (std::size_t i = 0; i < children.size(); ++i) {
      CHECK(children[i]->pid().has_value());
      CHECK(children[i]->in().write("child " + std::to_string(i)));
    }
    auto all = [&](auto what) { return std::all_of(children.begin(), children.end(), what); };
    // All of them live at the same time: each has answered before the first may end.
    REQUIRE(run_until(loop, [&] { return all([](Child& c) { return !c.out.empty(); }); }));
    for (auto& child : children) child->in().end();
    REQUIRE(run_until(loop, [&] { return all([](Child& c) { return c.closed; }); }));
    for (std::size_t i = 0; i < children.size(); ++i) {
      CHECK(children[i].out == "child " + std::to_string(i));
      CHECK(children[i].events == Events{"spawn", "exit 0", "close 0"});
    }
  }
  CHECK(open_descriptors() == before);
  CHECK(is_childless());
}

TEST_CASE("fault: with few descriptors left a child starts, or error and close tell of EMFILE") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = 64;  // a table that is quickly filled
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  Loop loop;
  Child first;  // what libuv and the loop open once is open from here on
  first.spawn(loop, "true");
  REQUIRE(run_until(loop, [&] { return first.closed; }));
  first.process.reset();
  const auto before = open_descriptors();
  int failed = 0;
  int started = 0;
  for (std::size_t n = 0; n <= 40; ++n) {
    const std::size_t spare = n / 2;
    const bool forks = n % 2 == 1;  // with a channel, and no pipes
    CAPTURE(spare);
    CAPTURE(forks);
    std::vector<UniqueFd> all;
    for (int fd = 0; (fd = ::fcntl(0, F_DUPFD_CLOEXEC, 3)) >= 0;) all.emplace_back(fd);
    REQUIRE(errno == EMFILE);
    for (std::size_t i = 0; i < spare; ++i) all.pop_back();
    Child child;
    if (forks) {
      child.fork_shell(loop, "exit 0");
    } else {
      child.spawn(loop, "true");
    }
    all.clear();
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    std::erase(child.events, "disconnect");
    if (child.errors.empty()) {
      ++started;
      CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
    } else {
      ++failed;
      CHECK(child.events == Events{"error EMFILE", "close -24"});
      CHECK_FALSE(child->pid().has_value());
      REQUIRE(child.errors[0].call() != nullptr);
      CHECK(child.errors[0].call()->syscall == (forks ? "spawn /bin/sh" : "spawn true"));
      CHECK_FALSE(child->kill().value());
    }
  }
  CHECK(failed > 0);
  CHECK(started > 0);
  CHECK(open_descriptors() == before);
  CHECK(is_childless());
}

TEST_CASE("fault: at the limit of processes error and close tell of EAGAIN") {
  // In a process of its own: the limit does not hold for root, so it becomes another user.
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_NPROC, &none) != 0) ::_exit(100);
    if (::getuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(101);
    Loop loop;
    Child child;
    child.spawn(loop, "/bin/true");
    if (!run_until(loop, [&] { return child.closed; })) ::_exit(102);
    if (child.events != Events{"error EAGAIN", "close -11"}) ::_exit(103);
    if (child->pid() || !is_childless()) ::_exit(104);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

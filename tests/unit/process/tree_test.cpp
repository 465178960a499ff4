// SPDX-License-Identifier: Apache-2.0
#include "process/tree.h"

#include "launch_support.h"
#include "process/process_table.h"

#include <csignal>
#include <functional>
#include <poll.h>
#include <sys/resource.h>

using namespace pronghorn;
using namespace pronghorn::process;
using pronghorn::test::Pipe;
using pronghorn::test::shell;

namespace {

/// A launched shell line whose every descendant holds the writing end of a pipe.
struct Family {
  explicit Family(const std::string& line, bool detached = false) {
    auto what = shell(line);
    what.detached = detached;
    what.descriptors = {-1, pipe.in.get(), 2};
    auto started = launch(what);
    REQUIRE(started.has_value());
    leader = std::move(*started);
    root = {leader.pid, true, detached};
    pipe.in.reset();
  }
  ~Family() { signal_tree(root, SIGKILL); }
  /// The leader's next line: it has come that far.
  std::string line() {
    std::string text;
    for (char c = 0; ::read(pipe.out.get(), &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
  Exit wait() {
    Exit exit = test::wait_for(leader);
    root.is_running = false;
    return exit;
  }
  /// Whether every one of the family has ended, within five seconds.
  bool is_gone() {
    pollfd end{pipe.out.get(), POLLIN, 0};
    char c = 0;
    while (::poll(&end, 1, 5000) == 1)
      if (::read(pipe.out.get(), &c, 1) == 0) return true;
    return false;
  }
  std::size_t count() { return signal_tree(root, 0).value(); }

  Pipe pipe;
  Launched leader;
  TreeRoot root;
};

bool soon(const std::function<bool()>& done) {
  Loop loop;
  return testing::run_until(loop, done);
}
char state_of(int pid) { return read_process(pid).value_or(ProcessEntry{}).state; }

}  // namespace

TEST_CASE("tree: the process, its children and theirs, each once") {
  Family family("sh -c 'sleep 1000 & setsid sleep 1000 & echo up; wait' & wait");
  CHECK(family.line() == "up");
  CHECK(soon([&] { return family.count() == 4; }));
  CHECK(signal_tree(family.root, SIGTERM).value() == 4);
  CHECK(family.wait() == Exit{.signal = SIGTERM});
  CHECK(family.is_gone());
}

TEST_CASE("tree: a signal of number 0 counts, and stops nobody") {
  Family family(
      "trap 'echo continued' CONT; trap 'echo asked' URG; echo up; while :; do sleep 0.01; done");
  CHECK(family.line() == "up");
  CHECK(family.count() >= 1);
  ::kill(family.leader.pid, SIGURG);
  CHECK(family.line() == "asked");
}

TEST_CASE("tree: none escapes by forking while it is killed") {
  Family family(
      "i=0; while [ $i -lt 40 ]; do sh -c 'sleep 1000 & sleep 1000 & wait' & i=$((i+1)); "
      "[ $i = 3 ] && echo up; done; wait");
  CHECK(family.line() == "up");
  SUBCASE("SIGKILL") {
    CHECK(signal_tree(family.root, SIGKILL).value() >= 4);
    CHECK(family.wait() == Exit{.signal = SIGKILL});
  }
  SUBCASE("SIGTERM") {
    CHECK(signal_tree(family.root, SIGTERM).value() >= 4);
    CHECK(family.wait() == Exit{.signal = SIGTERM});
  }
  CHECK(family.is_gone());
}

TEST_CASE("tree: what catches the signal sees it, and goes on") {
  Family family("trap 'echo caught; exit 5' USR1; echo up; while :; do sleep 0.01; done");
  CHECK(family.line() == "up");
  CHECK(signal_tree(family.root, SIGUSR1).value() >= 1);
  CHECK(family.line() == "caught");
  // Its `sleep` died of the signal, or was born after it.
  CHECK(family.wait() == Exit{.code = 5});
  CHECK(family.is_gone());
}

TEST_CASE("tree: a process group is signalled also when its leader has ended") {
  SUBCASE("detached: the group") {
    Family family("sleep 1000 & echo up", true);
    CHECK(family.wait() == Exit{.code = 0});
    CHECK(signal_tree(family.root, SIGTERM).value() == 1);
    CHECK(family.is_gone());
    CHECK(signal_tree(family.root, SIGTERM).value() == 0);
  }
  SUBCASE("detached, and not reaped yet") {
    Family family("sleep 1000 & echo up", true);
    REQUIRE(soon([&] { return state_of(family.leader.pid) == 'Z'; }));
    CHECK(signal_tree(family.root, SIGTERM).value() == 1);
    CHECK(family.is_gone());
    family.wait();
  }
  SUBCASE("not detached: nobody") {
    Family family("sleep 1000 & echo $!");
    int orphan = std::stoi(family.line());
    CHECK(family.wait() == Exit{.code = 0});
    CHECK(signal_tree(family.root, SIGTERM).value() == 0);
    ::kill(orphan, SIGKILL);
    CHECK(family.is_gone());
  }
}

TEST_CASE("tree: signals that stop and continue") {
  // The kernel discards SIGTSTP for an orphaned process group (setpgid(2)), such as that of a whole
  // test run below setsid: one of our own has a parent outside of it.
  ::setpgid(0, 0);
  Family family("sleep 1000 & echo $!; wait");
  int child = std::stoi(family.line());
  auto both = [&](bool stopped) {
    return soon([&] {
      return (state_of(child) == 'T') == stopped && (state_of(family.leader.pid) == 'T') == stopped;
    });
  };
  for (int signum : {SIGSTOP, SIGTSTP}) {
    CAPTURE(signum);
    CHECK(signal_tree(family.root, signum).value() == 2);
    CHECK(both(true));
    CHECK(signal_tree(family.root, SIGCONT).value() == 2);
    CHECK(both(false));
  }
}

TEST_CASE("tree: who stood before still stands after") {
  Family family("trap : USR1; sleep 1000 & echo $!; while :; do wait; done");
  int child = std::stoi(family.line());
  ::kill(family.leader.pid, SIGSTOP);
  REQUIRE(soon([&] { return state_of(family.leader.pid) == 'T'; }));
  CHECK(signal_tree(family.root, SIGWINCH).value() == 2);
  CHECK(state_of(family.leader.pid) == 'T');
  CHECK(soon([&] { return state_of(child) != 'T'; }));
}

TEST_CASE("tree: a number that is not our child's any more is no root") {
  CHECK(signal_tree({::getppid(), true, false}, 0).value() == 0);
  CHECK(signal_tree({::getppid(), false, true}, 0).value() == 0);
  CHECK(signal_tree({::getpid(), true, true}, 0).value() == 0);
}

TEST_CASE("tree: without descriptors it is an error, and all run on") {
  Family family("sleep 1000 & echo $!; wait");
  int child = std::stoi(family.line());
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  int next = ::dup(0);
  ::close(next);
  // Two for /proc and a file in it, but then a pidfd, a second one ...
  rlimit few{static_cast<rlim_t>(next) + 3, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  auto sent = signal_tree(family.root, SIGTERM);
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().errno_value() == EMFILE);
  CHECK(soon([&] { return state_of(child) != 'T' && state_of(family.leader.pid) != 'T'; }));
  CHECK(signal_tree(family.root, SIGKILL).value() == 2);
  CHECK(family.is_gone());
}

TEST_CASE("process table: what stands in /proc/PID/stat, whatever the name") {
  auto own = read_process(::getpid());
  REQUIRE(own.has_value());
  CHECK(own->pid == ::getpid());
  CHECK(own->parent == ::getppid());
  CHECK(own->group == ::getpgrp());
  CHECK(own->state == 'R');
  CHECK(own->threads >= 1);
  CHECK(own->start > 0);
  CHECK_FALSE(own->is_dead());
  CHECK_FALSE(read_process(0).has_value());

  Family family("printf 'a) S 1 1' > /proc/self/comm; echo up; sleep 1000");
  auto child = read_process(family.leader.pid);
  REQUIRE(child.has_value());
  CHECK(child->parent == ::getpid());
}

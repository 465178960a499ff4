// SPDX-License-Identifier: Apache-2.0
#include "process/launch.h"

#include "launch_support.h"

#include <atomic>
#include <csignal>
#include <fstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::process;
using pronghorn::test::output;
using pronghorn::test::plan;
using pronghorn::test::shell;
using pronghorn::test::wait_for;

namespace {

/// A folder that goes with the test.
struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    std::string file = path + "/" + name;
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    return file;
  }
  std::string path = "/tmp/pronghorn-launch-XXXXXX";
};

/// It must fail, leave no child and no descriptor.
LaunchFailure failure(const LaunchPlan& what) {
  auto before = test::count_descriptors();
  auto child = launch(what);
  REQUIRE_FALSE(child.has_value());
  CHECK(test::is_childless());
  CHECK(test::count_descriptors() == before);
  return child.error();
}
void check_failure(const LaunchPlan& what, LaunchStep step, int error) {
  LaunchFailure why = failure(what);
  CHECK(why.step == step);
  CHECK(why.error == error);
}

/// Runs `what` with a limit of this process's changed.
template <class What>
void with_limit(__rlimit_resource resource, rlim_t value, What what) {
  rlimit before{};
  ::getrlimit(resource, &before);
  rlimit changed{value, before.rlim_max};
  REQUIRE(::setrlimit(resource, &changed) == 0);
  what();
  ::setrlimit(resource, &before);
}

}  // namespace

TEST_CASE("launch: arguments, environment and folder are the given ones") {
  auto what = shell("echo \"$0 $1 $A $(pwd) $HOME\"");
  what.argv.insert(what.argv.end(), {"zero", "one two"});
  what.env = {"A=b c", "PATH=/usr/bin:/bin"};
  what.cwd = "/usr";
  CHECK(output(what) == "zero one two b c /usr \n");

  what = plan({"sh", "-c", "echo $0"});
  what.argv[0] = "another name";
  CHECK(output(what) == "another name\n");
}

TEST_CASE("launch: the pid and the pidfd are the child's, and only the pidfd is new here") {
  auto before = test::count_descriptors();
  auto child = launch(shell("exit 3"));
  REQUIRE(child.has_value());
  CHECK(test::count_descriptors() == before + 1);
  CHECK(::fcntl(child->pidfd.get(), F_GETFD) == FD_CLOEXEC);
  siginfo_t info{};
  CHECK(::waitid(P_PIDFD, static_cast<id_t>(child->pidfd.get()), &info, WEXITED) == 0);
  CHECK(info.si_pid == child->pid);
  CHECK(info.si_status == 3);
}

TEST_CASE("launch: a session of its own when detached, ours otherwise") {
  // PGID and SID are the fields 5 and 6 of /proc/PID/stat.
  auto what = shell("set -- $(cat /proc/$$/stat); echo $$ $5 $6");
  std::string own = " " + std::to_string(::getpgrp()) + " " + std::to_string(::getsid(0)) + "\n";
  CHECK(output(what).ends_with(own));
  what.detached = true;
  std::string text = output(what);
  std::string pid = text.substr(0, text.find(' '));
  CHECK(text == pid + " " + pid + " " + pid + "\n");
}

TEST_CASE(
    "launch: signals begin with their default action and none blocked, and ours stay as they are") {
  struct sigaction caught{};
  caught.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &caught, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGRTMIN + 3, SIG_IGN);
  sigset_t all;
  sigset_t after;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &all);
  CHECK(output(plan({"grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"})) ==
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  ::pthread_sigmask(SIG_BLOCK, nullptr, &after);
  for (int n = 1; n < 65; ++n) CHECK(::sigismember(&all, n) == ::sigismember(&after, n));
  struct sigaction now{};
  ::sigaction(SIGUSR1, nullptr, &now);
  CHECK((now.sa_handler == caught.sa_handler));
  ::sigaction(SIGPIPE, nullptr, &now);
  CHECK((now.sa_handler == SIG_IGN));
}

TEST_CASE("launch: a program is searched on the child's PATH, as execvp does") {
  Folder folder;
  std::filesystem::create_directories(folder.path + "/a/tool");  // EACCES: a folder
  std::filesystem::create_directories(folder.path + "/b");
  folder.write("b/tool", "#!/bin/sh\necho \"found $1\"\n");
  folder.write("b/text", "echo \"text $0 $1\"\n");
  folder.write("b/locked", "#!/bin/sh\n", 0644);
  folder.write("here", "#!/bin/sh\necho here\n");
  auto on = [&](const char* file, const std::string& path) {
    auto what = plan({"argv0", "argument"});
    what.file = file;
    what.env = {"X=1", "PATH=" + path, "PATH=/nonexistent"};
    what.cwd = folder.path;
    return what;
  };
  std::string a = folder.path + "/a";
  std::string b = folder.path + "/b";
  CHECK(output(on("tool", a + ":/nonexistent:" + b)) == "found argument\n");
  CHECK(output(on("tool", a + "/tool/none:" + b)) == "found argument\n");
  CHECK(output(on("tool", "b")) == "found argument\n");  // below the child's folder
  CHECK(output(on("here", "/nonexistent:")) == "here\n");
  CHECK(output(on("here", ":/nonexistent")) == "here\n");
  CHECK(output(on("b/tool", "")) == "found argument\n");
  CHECK(output(on("text", "/nonexistent:" + b)) == "text " + b + "/text argument\n");

  check_failure(on("tool", a), LaunchStep::exec, EACCES);
  check_failure(on("tool", a + ":/nonexistent"), LaunchStep::exec, EACCES);
  check_failure(on("locked", b + ":/nonexistent"), LaunchStep::exec, EACCES);
  check_failure(on("tool", "/nonexistent"), LaunchStep::exec, ENOENT);
  check_failure(on("tool", "/" + std::string(5000, 'x')), LaunchStep::exec, ENOENT);
  check_failure(on("", b), LaunchStep::exec, ENOENT);

  auto without = plan({"true"});
  without.env = {};
  CHECK(output(without).empty());
}

TEST_CASE("launch: what failed, and why") {
  Folder folder;
  SUBCASE("ENOENT") {
    check_failure(plan({"/nonexistent/program"}), LaunchStep::exec, ENOENT);
    folder.write("script", "#!/nonexistent/interpreter\n");
    check_failure(plan({folder.path + "/script"}), LaunchStep::exec, ENOENT);
  }
  SUBCASE("EACCES") { check_failure(plan({folder.path}), LaunchStep::exec, EACCES); }
  SUBCASE("ENOTDIR") {
    check_failure(plan({"/proc/version/none"}), LaunchStep::exec, ENOTDIR);
    auto what = plan({"true"});
    what.cwd = "/proc/version";
    check_failure(what, LaunchStep::directory, ENOTDIR);
    what.cwd = "/nonexistent";
    check_failure(what, LaunchStep::directory, ENOENT);
  }
  SUBCASE("E2BIG") {
    auto what = plan({"true"});
    what.argv.push_back(std::string(1 << 20, 'x'));
    check_failure(what, LaunchStep::exec, E2BIG);
  }
  SUBCASE("a descriptor that is not open") {
    auto what = plan({"true"});
    what.descriptors = {-1, 900, 2};
    check_failure(what, LaunchStep::descriptors, EBADF);
    what.descriptors = {-1, 1, 2, 3000, 3};
    check_failure(what, LaunchStep::descriptors, EBADF);
  }
  SUBCASE("EMFILE: no place for the pidfd") {
    int next = ::dup(0);
    ::close(next);
    LaunchFailure why;
    with_limit(RLIMIT_NOFILE, static_cast<rlim_t>(next), [&] {
      auto child = launch(plan({"true"}));
      REQUIRE_FALSE(child.has_value());
      why = child.error();
    });
    CHECK(why.step == LaunchStep::clone);
    CHECK(why.error == EMFILE);
    CHECK(test::is_childless());
  }
  SUBCASE("EAGAIN: too many processes") {
    // The limit is no user's who is root: a thread may be another one than its process.
    LaunchFailure why;
    std::thread other([&] {
      ::syscall(SYS_setresuid, 65534, 65534, 65534);
      with_limit(RLIMIT_NPROC, 0, [&] {
        auto child = launch(plan({"true"}));
        if (!child) why = child.error();
      });
    });
    other.join();
    CHECK(why.step == LaunchStep::clone);
    CHECK(why.error == EAGAIN);
    CHECK(test::is_childless());
  }
}

TEST_CASE("launch: another user and group, or EPERM, and we stay who we are") {
  ::prctl(PR_SET_DUMPABLE, 1);
  auto what = shell("id -u; id -g; id -G");
  what.uid = 65534;
  what.gid = 65533;
  if (::geteuid() == 0) {
    CHECK(output(what) == "65534\n65533\n65533\n");
    what.uid.reset();
    CHECK(output(what) == "0\n65533\n65533\n");
    what.uid = 65534;
    what.gid.reset();
    CHECK(output(what) ==
          "65534\n" + std::to_string(::getgid()) + "\n" + std::to_string(::getgid()) + "\n");
    CHECK(::geteuid() == 0);
    // Who may not become anybody: a thread without privileges.
    LaunchFailure why;
    std::thread other([&] {
      ::syscall(SYS_setresuid, 65533, 65533, 65533);
      auto child = launch(what);
      if (!child) why = child.error();
    });
    other.join();
    CHECK(why.step == LaunchStep::identity);
    CHECK(why.error == EPERM);
  } else {
    check_failure(what, LaunchStep::identity, EPERM);
    what.uid = ::getuid();  // no change at all
    what.gid = ::getgid();
    CHECK(output(what).starts_with(std::to_string(::getuid()) + "\n"));
  }
  ::prctl(PR_SET_DUMPABLE, 1);
  what.uid = ::getuid();
  what.gid = ::getgid();
  output(what);
  CHECK(::prctl(PR_GET_DUMPABLE) == 1);
  CHECK(::getgid() == ::getegid());
}

TEST_CASE("launch: from many threads at once, while others allocate and take signals") {
  std::atomic<bool> over = false;
  std::atomic<int> good = 0;
  std::thread noise([&] {
    while (!over) std::vector<std::string>(100, std::string(100, 'x'));
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&good, t] {
      for (int n = 0; n < 15; ++n) {
        auto child = launch(shell("exit " + std::to_string(t)));
        siginfo_t info{};
        if (!child || ::waitid(P_PIDFD, static_cast<id_t>(child->pidfd.get()), &info, WEXITED) != 0)
          return;
        if (info.si_code == CLD_EXITED && info.si_status == t) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  over = true;
  noise.join();
  CHECK(good == 60);
  CHECK(test::is_childless());
}

TEST_CASE("launch: with no way back a child has no privilege left, and no file gives it one") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root has privileges to give up");
    return;
  }
  ::prctl(PR_SET_DUMPABLE, 1);
  auto what = shell(
      "grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs):' /proc/self/status"
      " | tr -s '\\t ' ' '");
  what.uid = 65534;
  what.gid = 65533;
  what.groups = {65533, 65532};
  what.no_way_back = true;
  CHECK(output(what) ==
        "Uid: 65534 65534 65534 65534\nGid: 65533 65533 65533 65533\nGroups: 65532 65533 \n"
        "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
        "CapAmb: 0000000000000000\nNoNewPrivs: 1\n");
  // A set-user-ID program of root's: with the switch it runs as who we are.
  char folder[] = "/tmp/pronghorn-setuid-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  REQUIRE(::chmod(folder, 0755) == 0);
  const std::string copy = std::string(folder) + "/id";
  output(shell("cp \"$(command -v id)\" " + copy + " && chmod 4755 " + copy));
  auto id = plan({copy, "-u"});
  id.uid = 65534;
  id.gid = 65533;
  const std::string before = output(id);
  CHECK((before == "0\n" || before == "65534\n"));  // a file system may be mounted nosuid
  id.no_way_back = true;
  CHECK(output(id) == "65534\n");
  output(shell("rm -r " + std::string(folder)));
  CHECK(::geteuid() == 0);
  CHECK(::prctl(PR_GET_DUMPABLE) == 1);
  CHECK(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
}

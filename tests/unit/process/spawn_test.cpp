// SPDX-License-Identifier: Apache-2.0
// What spawn starts, and what it says when it cannot.
#include "tests/unit/process/process_fixture.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace pronghorn;
using namespace pronghorn::test;
using process::Environment;
using process::Exit;
using process::Stdio;

namespace {

std::string printed(Loop& loop, std::string file, std::vector<std::string> args,
                    const process::SpawnOptions& options = {}) {
  Child child;
  child.spawn(loop, std::move(file), std::move(args), options);
  child.read();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.err == "");
  return child.out;
}

}  // namespace

TEST_CASE("spawn: arguments arrive as they are, without a shell") {
  Loop loop;
  CHECK(printed(loop, "printf", {"%s|", "a b", "$HOME", "*", ""}) == "a b|$HOME|*||");
}

TEST_CASE("spawn: argv[0] is the file, or argv0") {
  Loop loop;
  const std::vector<std::string> script = {"-c", "tr '\\0' ' ' < /proc/$$/cmdline"};
  CHECK(printed(loop, "sh", script).starts_with("sh -c "));
  Child child;
  child.spawn(loop, "sh", script, {.argv0 = "another"});
  child.read();
  CHECK(child->spawnfile() == "sh");
  CHECK(child->spawnargs() == std::vector<std::string>{"another", script[0], script[1]});
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.out.starts_with("another -c "));
}

TEST_CASE("spawn: a shell gets one command") {
  Loop loop;
  Child child;
  child.shell(loop, "echo $0 | tr a-z A-Z; exit 3");
  child.read();
  CHECK(child->spawnfile() == "/bin/sh");
  CHECK(child->spawnargs() ==
        std::vector<std::string>{"/bin/sh", "-c", "echo $0 | tr a-z A-Z; exit 3"});
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.out == "/BIN/SH\n");
  CHECK(child.exit == Exit{.code = 3});

  CHECK(printed(loop, "echo $0", {}, {.shell = "/bin/bash"}) == "/bin/bash\n");
  Child missing;
  missing.shell(loop, "no-such-command-here 2>/dev/null");
  REQUIRE(run_until(loop, [&] { return missing.closed; }));
  CHECK(missing.exit == Exit{.code = 127});
}

TEST_CASE("spawn: env replaces the environment, env_merge changes it") {
  Loop loop;
  ::setenv("INHERITED", "yes", 1);
  const Environment only{{"A", "1"}, {"PATH", "/usr/bin:/bin"}};
  CHECK(printed(loop, "env", {}, {.env = only}) == "A=1\nPATH=/usr/bin:/bin\n");
  CHECK(printed(loop, "echo $INHERITED $A", {}, {.env_merge = {{"A", "2"}}, .shell = true}) ==
        "yes 2\n");
  CHECK(printed(loop, "echo ${INHERITED-none}", {},
                {.env_merge = Environment().unset("INHERITED"), .shell = true}) == "none\n");
  CHECK(printed(loop, "/usr/bin/env", {}, {.env = Environment::empty()}) == "");
}

TEST_CASE("spawn: the file is looked for on the PATH of the child's environment") {
  Loop loop;
  Child child;
  child.spawn(loop, "true", {}, {.env = {{"PATH", "/nonexistent"}}});
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.events == Events{"error ENOENT", "close -2"});
}

TEST_CASE("spawn: the working directory") {
  Loop loop;
  CHECK(printed(loop, "pwd", {}, {.cwd = "/usr"}) == "/usr\n");
}

TEST_CASE("spawn: what is not there is an error and a close, on the next turn") {
  Loop loop;
  Child child;
  child.spawn(loop, "no-such-file", {"a", "b"});
  CHECK(child.events.empty());
  CHECK_FALSE(child->pid().has_value());
  CHECK_FALSE(child->exit_code().has_value());
  CHECK(child->stdio(1) != nullptr);
  CHECK_FALSE(child->kill().value());
  CHECK(child->kill_tree().value() == 0);
  bool ended = false;
  child->out().on_data([](std::string_view) {});
  child->out().on_end([&] { ended = true; });
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(ended);
  CHECK(child.events == Events{"error ENOENT", "close -2"});
  CHECK(child->exit_code() == -ENOENT);
  CHECK_FALSE(child->signal_code().has_value());
  const Error& error = child.errors.at(0);
  CHECK(error.errno_value() == ENOENT);
  CHECK(error.message() == "cannot start 'no-such-file': no such file or directory");
  REQUIRE(error.call() != nullptr);
  CHECK(error.call()->syscall == "spawn no-such-file");
  CHECK(error.call()->path == "no-such-file");
  CHECK(error.call()->spawnargs == std::vector<std::string>{"a", "b"});
}

TEST_CASE("spawn: a start that fails and that nobody asks about ends nothing") {
  Loop loop;
  auto child = process::spawn(loop, "no-such-file");
  REQUIRE(child.has_value());
  CHECK(loop.run() == 0);
  CHECK(child->exit_code() == -ENOENT);
}

TEST_CASE("spawn: a missing working directory is named in the error") {
  Loop loop;
  Child child;
  child.spawn(loop, "ls", {}, {.cwd = "/no/such/folder"});
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.events == Events{"error ENOENT", "close -2"});
  CHECK(child.errors.at(0).message() ==
        "cannot start 'ls' in '/no/such/folder': no such file or directory");
  CHECK(child.errors.at(0).call()->syscall == "spawn ls");
}

TEST_CASE("spawn: a user that we may not become is what the error is about") {
  Result<process::ChildProcess> made = std::unexpected(Error(""));
  Loop loop;
  std::thread other([&] {  // which may not become anybody
    ::syscall(SYS_setresuid, 65533, 65533, 65533);
    made = process::spawn(loop, "true", {}, {.uid = 65534});
  });
  other.join();
  ::prctl(PR_SET_DUMPABLE, 1);  // setresuid(2) took it from the whole process
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().name() == "EPERM");
  CHECK(made.error().message() ==
        "cannot start 'true' with the given uid and gid: operation not permitted");
}

TEST_CASE("spawn: what may not be executed is an error and a close") {
  Loop loop;
  Child child;
  child.spawn(loop, "/etc/passwd");
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.events == Events{"error EACCES", "close -13"});
}

TEST_CASE("spawn: arguments that the kernel refuses are an error at once") {
  Loop loop;
  auto made = process::spawn(loop, "true", {std::string(8 << 20, 'x')});
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().errno_value() == E2BIG);
  CHECK(made.error().call()->syscall == "spawn true");
  CHECK(loop.run() == 0);
}

TEST_CASE("spawn: without a free descriptor an error and a close come, and nothing leaks") {
  Loop loop;
  Child first;  // what a process opens once is open from here on
  first.spawn(loop, "true");
  REQUIRE(run_until(loop, [&] { return first.closed; }));
  const std::size_t before = open_descriptors();

  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low{.rlim_cur = std::min<rlim_t>(limit.rlim_cur, 256), .rlim_max = limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  std::vector<UniqueFd> all;
  for (int fd = 0; (fd = ::fcntl(0, F_DUPFD_CLOEXEC, 3)) >= 0;) all.emplace_back(fd);
  // With each number of free descriptors another step fails.
  int failures = 0;
  for (int room = 0; room < 12; ++room) {
    CAPTURE(room);
    Child child;
    child.spawn(loop, "true", {}, {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::ipc}});
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    if (!child.exit) {
      ++failures;
      CHECK(child.errors.at(0).errno_value() == EMFILE);
      CHECK(child.events.front() == "error EMFILE");
      CHECK(child.events.back() == "close -24");
    }
    all.pop_back();
  }
  CHECK(failures > 4);
  CHECK(failures < 12);
  all.clear();
  ::setrlimit(RLIMIT_NOFILE, &limit);
  REQUIRE(run_until(loop, [&] { return open_descriptors() == before; }));
}

TEST_CASE("spawn: the child gets the descriptors of stdio, and nothing else") {
  Loop loop;
  // Not close-on-exec, as an embedding program or a shell may leave it.
  UniqueFd stray(::open("/dev/null", O_RDONLY));
  UniqueFd high(::fcntl(stray.get(), F_DUPFD, 200));
  // The shell lists its own descriptors without opening one, but the folder's.
  const std::string list =
      "for f in /proc/$$/fd/*; do n=${f##*/}; [ -e /proc/self/fd/$n ] && echo $n; done; true";
  CHECK(printed(loop, list, {},
                {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::ignore, Stdio::pipe},
                 .shell = true}) == "0\n1\n2\n3\n4\n");
}

TEST_CASE("spawn: a child with its own group stays in our session") {
  Loop loop;
  Child child;
  child.shell(loop, "cut -d' ' -f 5,6 /proc/$$/stat", {.own_group = true});
  child.read();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  std::string pid = std::to_string(child->pid().value());
  CHECK(child.out == pid + " " + std::to_string(::getsid(0)) + "\n");
}

TEST_CASE("spawn: a detached child leads its own session and group") {
  Loop loop;
  Child child;
  child.shell(loop, "cut -d' ' -f 5,6 /proc/$$/stat", {.detached = true});
  child.read();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  std::string pid = std::to_string(child->pid().value());
  CHECK(child.out == pid + " " + pid + "\n");
}

TEST_CASE("spawn: two hundred children at once leave no descriptor and no zombie") {
  Loop loop;
  Child first;
  first.spawn(loop, "true");
  REQUIRE(run_until(loop, [&] { return first.closed; }));
  const std::size_t before = open_descriptors();
  {
    std::vector<Child> children(200);
    for (auto& child : children) child.spawn(loop, "true", {}, {.stdio = Stdio::pipe});
    loop.run();
    for (auto& child : children) CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
  }
  REQUIRE(run_until(loop, [&] { return open_descriptors() == before; }));
  CHECK(is_childless());
}

// SPDX-License-Identifier: Apache-2.0
#include "process/child.h"

#include "tests/unit/process/process_fixture.h"

#include <signal.h>

using namespace pronghorn;
using namespace pronghorn::test;
using process::ChildProcess;

namespace {

process::ForkOptions shell(const char* script) {
  process::ForkOptions options;
  options.exec_path = "/bin/sh";
  options.args = {"sh", "-c", script};
  return options;
}

}  // namespace

TEST_CASE("fork: the exit code is told after the child was reaped") {
  Loop loop;
  Child child;
  child.start(loop, shell("exit 7"));
  CHECK(child.process->pid() > 0);
  CHECK(child.process->is_running());
  REQUIRE(run_until(loop, [&] { return child.is_over(); }));
  CHECK(child.exit->code == 7);
  CHECK_FALSE(child.exit->signal.has_value());
  CHECK_FALSE(child.process->is_running());
  CHECK_FALSE(child.process->kill(SIGTERM));
  CHECK(::kill(child.process->pid(), 0) == -1);
}

TEST_CASE("fork: a killed child tells its signal") {
  Loop loop;
  Child child;
  child.start(loop, shell("exec sleep 100"));
  CHECK(child.process->kill(SIGKILL));
  REQUIRE(run_until(loop, [&] { return child.is_over(); }));
  CHECK(child.exit->signal == SIGKILL);
  CHECK_FALSE(child.exit->code.has_value());
}

TEST_CASE("fork: a program that is not there is an error, and leaves no descriptor") {
  Loop loop;
  std::size_t before = open_descriptors();
  {
    Child child;
    process::ForkOptions options;
    options.exec_path = "/nonexistent";
    options.args = {"x"};
    auto forked = ChildProcess::fork(loop, options, child.handlers());
    REQUIRE_FALSE(forked.has_value());
    CHECK(forked.error().errno_value() == ENOENT);
    uv_run(loop.native(), UV_RUN_NOWAIT);
    CHECK(child.told.disconnects == 0);
    CHECK_FALSE(child.exit.has_value());
  }
  // libuv keeps a pipe for SIGCHLD and its epoll descriptor once it has started a process.
  CHECK(open_descriptors() <= before + 3);
}

TEST_CASE("fork: the child speaks on descriptor 3, and finds it in its environment's last lines") {
  Loop loop;
  Child child;
  auto options = shell(
      "tr '\\0' '\\n' < /proc/$$/environ | tail -n 2 | sed 's/.*/\"&\"/' >&3; read line <&3; "
      "echo \"$line\" >&3");
  options.env = {"NODE_CHANNEL_FD=9", "OTHER=1"};
  child.start(loop, options);
  CHECK(child.process->channel().send(ipc::Json{{"a", 1}}).value());
  REQUIRE(run_until(loop, [&] { return child.is_over(); }));
  CHECK(child.told.messages == std::vector<std::string>{"\"NODE_CHANNEL_FD=3\"",
                                                        "\"NODE_CHANNEL_SERIALIZATION_MODE=json\"",
                                                        "{\"a\":1}"});
}

TEST_CASE("fork: the child gets 0 to 3 and what was asked for, and nothing else") {
  Loop loop;
  // Not close-on-exec, as an embedding program or a shell may leave it.
  UniqueFd stray(::open("/dev/null", O_RDONLY));
  UniqueFd high(::fcntl(stray.get(), F_DUPFD, 200));
  UniqueFd given(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  Child child;
  // The shell lists its own descriptors without opening one, but the folder's.
  auto options = shell(
      "for f in /proc/$$/fd/*; do n=${f##*/}; if [ -e /proc/self/fd/$n ]; then echo $n >&3; fi; "
      "done; "
      "readlink /proc/$$/fd/4 | sed 's/.*/\"&\"/' >&3");
  options.descriptors = {given.get(), 1};
  child.start(loop, options);
  REQUIRE(run_until(loop, [&] { return child.is_over(); }));
  auto& got = child.told.messages;
  REQUIRE_FALSE(got.empty());
  CHECK(got.back().ends_with("/status\""));
  got.pop_back();
  CHECK(got == std::vector<std::string>{"0", "1", "2", "3", "4", "5"});
}

TEST_CASE("fork: a detached child leads its own session and group") {
  Loop loop;
  Child child;
  auto options = shell("cut -d' ' -f 5,6 /proc/$$/stat | tr ' ' '\\n' >&3");
  options.detached = true;
  child.start(loop, options);
  REQUIRE(run_until(loop, [&] { return child.is_over(); }));
  std::string pid = std::to_string(child.process->pid());
  CHECK(child.told.messages == std::vector<std::string>{pid, pid});
}

TEST_CASE("fork: a child that prints to its channel breaks the protocol and not us") {
  Loop loop;
  Child child;
  child.start(loop, shell("echo Listening on port 80 >&3; exec sleep 100"));
  REQUIRE(run_until(loop, [&] { return child.told.disconnects == 1; }));
  CHECK(child.told.errors.size() == 1);
  CHECK(child.process->is_running());
  child.process->kill(SIGKILL);
  REQUIRE(run_until(loop, [&] { return child.exit.has_value(); }));
}

TEST_CASE("fork: the child may be destroyed in each of its callbacks, and is still reaped") {
  Loop loop;
  std::optional<ChildProcess> child;
  int calls = 0;
  auto destroy = [&] {
    ++calls;
    child.reset();
  };
  ChildProcess::Handlers handlers;
  const char* script = "echo 1 >&3";
  SUBCASE("on_exit") {
    handlers.on_exit = [&](const process::Exit&) { destroy(); };
  }
  SUBCASE("on_message") {
    handlers.channel.on_message = [&](const ipc::Json&, UniqueFd) { destroy(); };
  }
  SUBCASE("on_disconnect") { handlers.channel.on_disconnect = destroy; }
  SUBCASE("on_error") {
    script = "echo garbage >&3";
    handlers.channel.on_error = [&](const Error&) { destroy(); };
  }
  child = *ChildProcess::fork(loop, shell(script), std::move(handlers));
  int pid = child->pid();
  REQUIRE(run_until(loop, [&] { return calls > 0; }));
  REQUIRE(run_until(loop, [&] { return ::kill(pid, 0) != 0; }));
  CHECK(calls == 1);
}

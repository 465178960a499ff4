// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/uv/task.h>

#include "tests/unit/process/exec_support.h"

#include <concepts>
#include <coroutine>
#include <memory>
#include <stop_token>

namespace pronghorn::process {
namespace {

using test::exit_code;
using test::exit_signal;
using test::run_to_end;
using namespace std::chrono_literals;

// gcc 12 destroys options that are made within a co_await's expression twice.
template <class T>
concept AwaitedAtOnce = requires(T made) { std::move(made).operator co_await(); };
template <class T>
concept AwaitedByName = requires(T made) { made.operator co_await(); };
static_assert(AwaitedByName<Execution> && AwaitedAtOnce<Execution>);
static_assert(AwaitedByName<NamedExecution> && !AwaitedAtOnce<NamedExecution>);

TEST_CASE("exec await: at once, without options or with ones that have a name") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    ExecResult r = co_await exec(l, "echo something that does not fit in place");
    CHECK(r.out == "something that does not fit in place\n");
    const ExecOptions options{.cwd = "/", .env_merge = {{"A", "1"}}, .max_buffer = 3};
    r = co_await exec(l, "printf 123456", options);
    CHECK(r.out == "123");
    r = co_await exec_file(l, "true");
    CHECK(r.ok());
    std::vector<std::string> args{"one", "two"};
    r = co_await exec_file(l, "echo", args);
    CHECK(r.out == "one two\n");
    r = co_await exec_file(l, "echo", args, options);
    CHECK(r.out == "one");
    co_return 5;
  };
  CHECK(run(loop, body(loop)) == 5);
}

TEST_CASE("exec await: the result of a command, with options made by braces") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    auto command = exec(
        l, "printf 123456",
        {.cwd = "/", .env_merge = {{"A", "a value that does not fit in place"}}, .max_buffer = 3});
    ExecResult r = co_await command;
    CHECK(r.out == "123");
    CHECK(r.error->code() == Errc::stdio_max_buffer);
    co_return 5;
  };
  CHECK(run(loop, body(loop)) == 5);
}

TEST_CASE("exec await: one after the other, with what the one gave for the next") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    auto first = exec(l, "echo made by the first");
    ExecResult made = co_await first;
    auto second = exec_file(l, "printf", {"%s and %s", made.out.substr(0, 4), "the second"});
    ExecResult r = co_await second;
    CHECK(r.out == "made and the second");
    auto third = exec(l, "exit 7");
    ExecResult failed = co_await third;
    co_return failed.exit.code.value_or(-1);
  };
  CHECK(run(loop, body(loop)) == 7);
}

TEST_CASE("exec await: it starts when it is made, so several run at once") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    auto a = exec(l, "read -r x; echo got $x");
    auto b = exec(l, "echo from b");
    REQUIRE(a.child() != nullptr);
    ExecResult of_b = co_await b;
    a.child()->in().end(of_b.out);
    ExecResult of_a = co_await a;
    CHECK(of_a.out == "got from b\n");
    co_return 0;
  };
  CHECK(run(loop, body(loop)) == 0);
}

TEST_CASE("exec await: one that has ended before it is awaited is ready") {
  Loop loop;
  auto done = exec(loop, "echo early");
  run_to_end(loop);
  bool seen = false;
  auto body = [&]() -> Task<void> {
    ExecResult r = co_await done;
    CHECK(r.out == "early\n");
    seen = true;
  };
  start(loop, body());
  CHECK(seen);
  run_to_end(loop);
}

TEST_CASE("exec await: wrong arguments are the result's error, and there is no child") {
  Loop loop;
  auto body = [](Loop& l) -> Task<int> {
    auto refused = exec(l, "true", {.timeout = -1ms});
    CHECK(refused.child() == nullptr);
    ExecResult r = co_await refused;
    REQUIRE(r.error.has_value());
    CHECK(r.error->code() == Errc::out_of_range);
    CHECK(r.cmd == "true");
    auto missing = exec_file(l, "pronghorn-no-such-file");
    ExecResult none = co_await missing;
    CHECK(none.error->name() == "ENOENT");
    CHECK(none.exit == exit_code(-ENOENT));
    co_return 0;
  };
  CHECK(run(loop, body(loop)) == 0);
}

TEST_CASE("exec await: a stop token and a timeout end it") {
  Loop loop;
  std::stop_source stop;
  auto body = [&](Loop& l) -> Task<int> {
    auto aborted = exec(l, "exec sleep 100", {.signal = stop.get_token()});
    stop.request_stop();
    ExecResult r = co_await aborted;
    CHECK(r.error->code() == Errc::aborted);
    auto late = exec(l, "exec sleep 100", {.timeout = 50ms});
    ExecResult t = co_await late;
    CHECK(t.exit == exit_signal(SIGTERM));
    CHECK(t.killed);
    co_return 0;
  };
  CHECK(run(loop, body(loop)) == 0);
}

TEST_CASE("exec await: dropped, it leaves the command alone, and nobody is told") {
  Loop loop;
  int pid = 0;
  {
    auto dropped = exec(loop, "echo unheard; exit 3");
    REQUIRE(dropped.child() != nullptr);
    pid = dropped.child()->pid().value_or(0);
  }
  run_to_end(loop);
  CHECK(::kill(pid, 0) == -1);  // reaped
}

TEST_CASE("exec await: a coroutine that is destroyed while it waits is not gone on with") {
  Loop loop;
  auto command = exec(loop, "echo late");
  bool went_on = false;
  {
    auto body = [&]() -> Task<void> {
      (void)co_await command;
      went_on = true;
    };
    auto task = body();
    // As start() does, but with a frame that goes before the command ends.
    task.await_suspend(std::noop_coroutine()).resume();
  }
  run_to_end(loop);
  CHECK_FALSE(went_on);
}

TEST_CASE("exec await: frames that wait for commands go with the loop") {
  int pid = 0;
  {
    Loop loop;
    auto body = [&](Loop& l) -> Task<void> {
      auto command = exec(l, "exec sleep 100");
      pid = command.child()->pid().value_or(0);
      (void)co_await command;
    };
    start(loop, body(loop));
  }
  REQUIRE(pid > 0);
  ::kill(pid, SIGKILL);
}

TEST_CASE("exec await: fifty coroutines wait at once") {
  Loop loop;
  int sum = 0;
  auto body = [&sum](Loop& l, int i) -> Task<void> {
    auto command = exec(l, "exit " + std::to_string(i));
    ExecResult r = co_await command;
    sum += r.exit.code.value_or(1000);
  };
  for (int i = 0; i < 50; ++i) start(loop, body(loop, i));
  run_to_end(loop);
  CHECK(sum == 49 * 50 / 2);
}

}  // namespace
}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// The order of a child's events, and what happens when its owner goes.
#include "tests/unit/process/process_fixture.h"

#include <memory>
#include <sys/wait.h>

using namespace pronghorn;
using namespace pronghorn::test;
using process::ChildProcess;
using process::Exit;
using process::Stdio;

namespace {

bool is_gone(int pid) { return ::kill(pid, 0) == -1 && errno == ESRCH; }

}  // namespace

TEST_CASE("events: spawn comes before anything that the child says") {
  Loop loop;
  Child child;
  child.spawn(loop, "echo", {"said"});
  child->out().on_data([&](std::string_view) { child.events.emplace_back("data"); });
  child->out().on_end([&] { child.events.emplace_back("end"); });
  // It has written and left before our loop turns.
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child->pid().value()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(child.events.empty());
  CHECK(loop.run() == 0);
  CHECK(child.events.front() == "spawn");
  CHECK(child.events.back() == "close 0");
  CHECK(child.saw("exit 0"));
  CHECK(std::find(child.events.begin(), child.events.end(), "data") <
        std::find(child.events.begin(), child.events.end(), "end"));
  CHECK(child.events.size() == 5);
}

TEST_CASE("events: spawn comes first also for a child that a listener started") {
  Loop loop;
  Child outer;
  Child inner;
  outer.spawn(loop, "true");
  outer->on_spawn([&] {
    inner.spawn(loop, "true");
    siginfo_t info{};
    auto id = static_cast<id_t>(inner->pid().value());
    CHECK(::waitid(P_PID, id, &info, WEXITED | WNOWAIT) == 0);
  });
  CHECK(loop.run() == 0);
  CHECK(inner.events == Events{"spawn", "exit 0", "close 0"});
  CHECK(outer.events == Events{"spawn", "exit 0", "close 0"});
}

TEST_CASE("events: how it ended is told as code or as signal") {
  Loop loop;
  Child code;
  code.shell(loop, "exit 255");
  Child signal;
  signal.shell(loop, "kill -USR1 $$");
  CHECK(loop.run() == 0);
  CHECK(code.events == Events{"spawn", "exit 255", "close 255"});
  CHECK(code->exit_code() == 255);
  CHECK_FALSE(code->signal_code().has_value());
  CHECK(signal.events == Events{"spawn", "exit SIGUSR1", "close SIGUSR1"});
  CHECK(signal->signal_code() == SIGUSR1);
  CHECK_FALSE(signal->exit_code().has_value());
  CHECK_FALSE(signal->killed());
}

TEST_CASE("events: a grandchild that holds a pipe delays close, not exit") {
  Loop loop;
  Child child;
  child.shell(loop, "read line <&3 & exit 0",
              {.stdio = {Stdio::ignore, Stdio::pipe, Stdio::ignore, Stdio::pipe}});
  REQUIRE(run_until(loop, [&] { return child.exit.has_value(); }));
  for (int i = 0; i < 20; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
  CHECK_FALSE(child.closed);
  child->stdio(3)->write("go\n");
  REQUIRE(run_until(loop, [&] { return child.closed; }));
}

TEST_CASE("events: destroying the streams lets close come while a grandchild holds them") {
  Loop loop;
  Child child;
  child.shell(loop, "sleep 1000 & echo $!", {.stdio = {Stdio::ignore, Stdio::pipe, Stdio::pipe}});
  child->out().on_data([&](std::string_view bytes) {
    child.out += bytes;
    child->out().destroy();
    child->err().destroy();
  });
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
  ::kill(std::stoi(child.out), SIGKILL);
}

TEST_CASE("events: output that nobody reads is thrown away after exit") {
  Loop loop;
  Child child;
  child.shell(loop, "echo unread; echo unread >&2");
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
}

TEST_CASE("events: output may still be read by a listener that was added at exit") {
  Loop loop;
  Child child;
  child.shell(loop, "echo late");
  child->on_exit([&](const Exit&) { child.read(); });
  CHECK(loop.run() == 0);
  CHECK(child.out == "late\n");
  CHECK(child.closed);
}

TEST_CASE("events: standard input is closed at exit, and what waited in it is told so") {
  Loop loop;
  Child child;
  child.spawn(loop, "true");
  bool failed = false;
  child->in().write(std::string(1 << 20, 'x'),
                    [&](const Error* error) { failed = error != nullptr; });
  CHECK(loop.run() == 0);
  CHECK(child.closed);
  CHECK(failed);
  CHECK_FALSE(child->in().is_open());
}

TEST_CASE("events: several listeners are called in their order") {
  Loop loop;
  Child child;
  child.spawn(loop, "true");
  child->on_exit([&](const Exit& e) { child.events.push_back("second " + Child::text(e)); });
  child->on_close([&](const Exit& e) { child.events.push_back("second " + Child::text(e)); });
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit 0", "second 0", "close 0", "second 0"});
}

TEST_CASE("events: the child may be destroyed in each of its listeners, and is still reaped") {
  Loop loop;
  std::optional<ChildProcess> child;
  int calls = 0;
  auto destroy = [&] {
    ++calls;
    child.reset();
  };
  std::string script = "echo out; exec 1>&-; echo '\"m\"' >&3; read x <&0";
  process::SpawnOptions options{
      .stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::ipc, Stdio::pipe}, .shell = true};
  std::function<void(ChildProcess&)> listen;
  SUBCASE("spawn") {
    listen = [&](ChildProcess& c) { c.on_spawn(destroy); };
  }
  SUBCASE("data") {
    listen = [&](ChildProcess& c) { c.out().on_data([&](std::string_view) { destroy(); }); };
  }
  SUBCASE("end") {
    listen = [&](ChildProcess& c) {
      c.out().on_end(destroy);
      c.out().resume();
    };
  }
  SUBCASE("stream close") {
    listen = [&](ChildProcess& c) {
      c.out().on_close(destroy);
      c.out().resume();
    };
  }
  SUBCASE("written") {
    listen = [&](ChildProcess& c) { c.in().write("x", [&](const Error*) { destroy(); }); };
  }
  SUBCASE("message") {
    listen = [&](ChildProcess& c) { c.on_message([&](const Json&) { destroy(); }); };
  }
  SUBCASE("sent") {
    listen = [&](ChildProcess& c) {
      CHECK(c.send(Json(1), [&](const Error*) { destroy(); }).has_value());
    };
  }
  SUBCASE("disconnect") {
    script = "exec 3>&-; read x";
    listen = [&](ChildProcess& c) { c.on_disconnect(destroy); };
  }
  SUBCASE("error") {
    script = "echo garbage >&3; read x";
    listen = [&](ChildProcess& c) { c.on_error([&](const Error&) { destroy(); }); };
  }
  SUBCASE("exit") {
    script = "true";
    listen = [&](ChildProcess& c) { c.on_exit([&](const Exit&) { destroy(); }); };
  }
  SUBCASE("close") {
    script = "true";
    listen = [&](ChildProcess& c) { c.on_close([&](const Exit&) { destroy(); }); };
  }
  auto made = process::spawn(loop, script, {}, options);
  REQUIRE(made.has_value());
  child = std::move(*made);
  const int pid = child->pid().value();
  listen(*child);
  REQUIRE(run_until(loop, [&] { return calls > 0; }));
  REQUIRE(run_until(loop, [&] { return is_gone(pid); }));
  CHECK(loop.run() == 0);
  CHECK(calls == 1);
}

TEST_CASE("events: a failed start may destroy the child in its error and in its close") {
  Loop loop;
  std::optional<ChildProcess> child = *process::spawn(loop, "/nonexistent");
  int calls = 0;
  auto destroy = [&] {
    ++calls;
    child.reset();
  };
  SUBCASE("error") {
    child->on_error([&](const Error&) { destroy(); });
  }
  SUBCASE("close") {
    child->on_close([&](const Exit&) { destroy(); });
  }
  SUBCASE("before") { destroy(); }
  CHECK(loop.run() == 0);
  CHECK(calls == 1);
}

TEST_CASE("events: a destroyed child calls nothing, closes its pipes and is left alone") {
  Loop loop;
  int calls = 0;
  std::optional<ChildProcess> child =
      *process::spawn(loop, "trap '' PIPE; cat >/dev/null; exit 0", {}, {.shell = true});
  const int pid = child->pid().value();
  child->on_spawn([&] { ++calls; });
  child->on_exit([&](const Exit&) { ++calls; });
  child->on_close([&](const Exit&) { ++calls; });
  child.reset();
  CHECK_FALSE(is_gone(pid));
  // Its standard input has ended, so it leaves by itself.
  REQUIRE(run_until(loop, [&] { return is_gone(pid); }));
  CHECK(calls == 0);
}

TEST_CASE("events: a child that is dropped while it runs does not keep the loop running") {
  Loop loop;
  int pid = 0;
  {
    auto child = *process::spawn(loop, "sleep", {"1000"}, {.stdio = Stdio::ignore});
    pid = child.pid().value();
  }
  CHECK(loop.run() == 0);
  CHECK_FALSE(is_gone(pid));
  ::kill(pid, SIGKILL);
  REQUIRE(run_until(loop, [&] { return is_gone(pid); }));
}

TEST_CASE("events: a loop may go while a dropped child still runs") {
  int pid = 0;
  {
    Loop loop;
    auto child = *process::spawn(loop, "sleep", {"1000"});
    pid = child.pid().value();
  }
  CHECK_FALSE(is_gone(pid));
  ::kill(pid, SIGKILL);
  CHECK(::waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("events: the child may be moved at any time, its listeners with it") {
  Loop loop;
  Child child;
  child.spawn(loop, "cat");
  child.read();
  auto& in = child->in();
  auto moved = std::make_unique<ChildProcess>(std::move(*child.process));
  CHECK(&moved->in() == &in);
  child.process.reset();
  in.end("still");
  moved->on_exit([&](const Exit&) {
    auto again = std::make_unique<ChildProcess>(std::move(*moved));
    moved = std::move(again);
  });
  CHECK(loop.run() == 0);
  CHECK(child.out == "still");
  CHECK(child.closed);
  *moved = *process::spawn(loop, "true");  // assigning drops the old one
  CHECK(moved->pid().has_value());
  CHECK(loop.run() == 0);
}

TEST_CASE("events: an unreferenced process does not keep the loop running, until it is again") {
  Loop loop;
  Child child;
  child.shell(loop, "read x <&3",
              {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::ignore, Stdio::pipe}});
  child->unref();
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn"});
  child->ref();
  child->stdio(3)->end("x\n");
  CHECK(loop.run() == 0);
  CHECK(child.closed);
}

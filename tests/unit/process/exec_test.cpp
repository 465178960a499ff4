// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/process/exec_support.h"

#include <cstdlib>
#include <stop_token>
#include <sys/resource.h>
#include <thread>

namespace pronghorn::process {
namespace {

using test::error_of;
using test::exit_code;
using test::exit_signal;
using test::kSuccess;
using test::Outcome;
using test::run_exec;
using test::run_to_end;

using namespace std::chrono_literals;

TEST_CASE("exec: a command's output, both streams apart, and its success") {
  auto r = run_exec("echo one; echo two >&2; echo three");
  CHECK(r.ok());
  CHECK(r.exit == kSuccess);
  CHECK(r.out == "one\nthree\n");
  CHECK(r.err == "two\n");
  CHECK_FALSE(r.killed);
  CHECK(r.cmd == "echo one; echo two >&2; echo three");
}

TEST_CASE("exec: another exit code is command_failed with the command and its stderr") {
  auto r = run_exec("echo out; echo why >&2; exit 3");
  CHECK(r.exit == exit_code(3));
  CHECK(error_of(r) == ": Command failed: echo out; echo why >&2; exit 3\nwhy\n");
  CHECK(r.error->code() == Errc::command_failed);
  CHECK(r.out == "out\n");
  CHECK_FALSE(r.killed);
}

TEST_CASE("exec: a command that the shell does not find ends with 127 and the shell's words") {
  auto r = run_exec("pronghorn-no-such-command");
  CHECK(r.exit == exit_code(127));
  CHECK(r.error->code() == Errc::command_failed);
  CHECK(r.err.find("not found") != std::string::npos);
}

TEST_CASE("exec: a child that a signal ended failed, and was not killed by us") {
  auto r = run_exec("kill -9 $$");
  CHECK(r.exit == exit_signal(SIGKILL));
  CHECK(r.error->code() == Errc::command_failed);
  CHECK_FALSE(r.killed);
}

TEST_CASE("exec: cwd, env and env_merge reach the command") {
  CHECK(run_exec("pwd", {.cwd = "/"}).out == "/\n");
  CHECK(run_exec("echo $A$B", {.env = {{"A", "only"}, {"PATH", "/bin"}}}).out == "only\n");
  ::setenv("PRONGHORN_EXEC_TEST", "kept", 1);
  CHECK(run_exec("echo $PRONGHORN_EXEC_TEST $A", {.env_merge = {{"A", "added"}}}).out ==
        "kept added\n");
}

TEST_CASE("exec: another shell may be named, and none is no choice") {
  CHECK(run_exec("echo $0", {.shell = "/bin/bash"}).out == "/bin/bash\n");
  CHECK(run_exec("echo $0", {.shell = false}).out == "/bin/sh\n");
}

TEST_CASE("exec: a directory that is not there is the error of the start") {
  auto r = run_exec("true", {.cwd = "/pronghorn/no/such/directory"});
  CHECK(r.exit == exit_code(-ENOENT));
  CHECK(r.error->name() == "ENOENT");
  REQUIRE(r.error->call() != nullptr);
  CHECK(r.error->call()->syscall == "spawn /bin/sh");
  CHECK(r.cmd == "true");
}

TEST_CASE("exec: wrong arguments are refused at once, and the callback does not come") {
  Loop loop;
  Outcome outcome;
  auto refused = [&](const std::string& command, const ExecOptions& options) {
    auto child = exec(loop, command, options, outcome.callback());
    return child ? "started" : child.error().name();
  };
  CHECK(refused("", {}) == "ERR_INVALID_ARG_VALUE");
  CHECK(refused(std::string("a\0b", 3), {}) == "ERR_INVALID_ARG_VALUE");
  CHECK(refused("true", {.timeout = -1ms}) == "ERR_OUT_OF_RANGE");
  CHECK(refused("true", {.kill_signal = "SIGNONE"}) == "ERR_UNKNOWN_SIGNAL");
  run_to_end(loop);
  CHECK(outcome.calls == 0);
}

TEST_CASE("exec: max_buffer is in bytes, exactly that many are no error") {
  auto r = run_exec("printf 12345", {.max_buffer = 5});
  CHECK(r.ok());
  CHECK(r.out == "12345");
}

TEST_CASE("exec: one byte more than max_buffer is cut, kept and an error, and ends the child") {
  auto r = run_exec("printf 123456; exec sleep 100", {.max_buffer = 5});
  CHECK(r.out == "12345");
  CHECK(error_of(r) == "ERR_CHILD_PROCESS_STDIO_MAXBUFFER: stdout max_buffer length exceeded");
  CHECK(r.exit == exit_signal(SIGTERM));
  CHECK(r.killed);
}

TEST_CASE("exec: max_buffer counts stderr by itself, and ends the child with kill_signal") {
  auto r = run_exec("printf 12345; printf 123456 >&2; exec sleep 100",
                    {.max_buffer = 5, .kill_signal = "SIGKILL"});
  CHECK(r.err == "12345");
  CHECK(error_of(r) == "ERR_CHILD_PROCESS_STDIO_MAXBUFFER: stderr max_buffer length exceeded");
  CHECK(r.exit == exit_signal(SIGKILL));
}

TEST_CASE("exec: max_buffer 0 keeps nothing, and is no error for a silent command") {
  CHECK(run_exec("true", {.max_buffer = 0}).ok());
  auto r = run_exec("echo", {.max_buffer = 0});
  CHECK(r.out.empty());
  CHECK(r.error->code() == Errc::stdio_max_buffer);
}

TEST_CASE("exec: max_buffer is one MiB by default, and may be unlimited") {
  const std::string command = "head -c 1048577 /dev/zero";
  auto cut = run_exec(command);
  CHECK(cut.out.size() == 1024 * 1024);
  CHECK(cut.error->code() == Errc::stdio_max_buffer);
  auto whole = run_exec(command, {.max_buffer = kUnlimited});
  CHECK(whole.out.size() == 1048577);
  CHECK(whole.ok());
}

TEST_CASE("exec: a cut by max_buffer leaves a cut character out of utf8, and keeps its bytes") {
  const std::string command = R"(printf '\303\251\303\251')";
  CHECK(run_exec(command, {.max_buffer = 3}).out == "\xC3\xA9\xC3");
  CHECK(run_exec(command, {.encoding = Encoding::utf8, .max_buffer = 3}).out == "\xC3\xA9");
  CHECK(run_exec(command, {.encoding = Encoding::utf8, .max_buffer = 4}).out == "\xC3\xA9\xC3\xA9");
}

TEST_CASE("exec: a character that comes in two pieces is whole in utf8, and half a one U+FFFD") {
  const std::string command = R"(printf '\303'; sleep 0.05; printf '\251\303')";
  CHECK(run_exec(command, {.encoding = Encoding::utf8}).out == "\xC3\xA9\xEF\xBF\xBD");
  CHECK(run_exec(command).out == "\xC3\xA9\xC3");
}

TEST_CASE("exec: one that writes 1 GiB is ended at max_buffer, within bounded memory") {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  auto r = run_exec("exec head -c 1073741824 /dev/zero");
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  CHECK(r.error->code() == Errc::stdio_max_buffer);
  CHECK(r.out.size() == kDefaultMaxBuffer);
  CHECK(r.exit.signal.has_value());
  // In KiB: the output, its copy here, and what reading takes; a sanitizer keeps what was freed.
  CHECK(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
}

TEST_CASE("exec: timeout ends the child with kill_signal, and keeps what it wrote") {
  auto r = run_exec("echo begun; exec sleep 100", {.timeout = 300ms, .kill_signal = SIGINT});
  CHECK(r.exit == exit_signal(SIGINT));
  CHECK(r.killed);
  CHECK(r.error->code() == Errc::command_failed);
  CHECK(r.out == "begun\n");
}

TEST_CASE("exec: a timeout that is not reached changes nothing") {
  auto r = run_exec("echo quick", {.timeout = 100s});
  CHECK(r.ok());
  CHECK_FALSE(r.killed);
}

TEST_CASE("exec: after a timeout the callback does not wait for a grandchild that holds the pipe") {
  auto begin = std::chrono::steady_clock::now();
  auto r = run_exec("sleep 100 & echo $!; wait", {.timeout = 300ms});
  CHECK(std::chrono::steady_clock::now() - begin < 50s);
  CHECK(r.exit == exit_signal(SIGTERM));
  ::kill(std::atoi(r.out.c_str()), SIGKILL);
}

TEST_CASE("exec: timeout also ends the wait for a grandchild after the command's own success") {
  auto r = run_exec("sleep 100 & echo $!", {.timeout = 300ms});
  CHECK(r.ok());
  CHECK_FALSE(r.killed);
  ::kill(std::atoi(r.out.c_str()), SIGKILL);
}

TEST_CASE("exec: without a timeout the callback waits for the grandchild's output") {
  auto r = run_exec("(sleep 0.2; echo late) & echo early");
  CHECK(r.out == "early\nlate\n");
}

TEST_CASE("exec: a child that does not heed the timeout's signal gets SIGKILL after kill_grace") {
  auto r =
      run_exec("trap '' TERM; while :; do sleep 1; done", {.timeout = 200ms, .kill_grace = 100ms});
  CHECK(r.exit == exit_signal(SIGKILL));
  CHECK(r.killed);
}

TEST_CASE("exec: an abort ends it with kill_signal, and is the error") {
  Loop loop;
  Outcome outcome;
  std::stop_source stop;
  auto child = exec(loop, "echo begun; exec sleep 100",
                    {.signal = stop.get_token(), .kill_signal = SIGINT}, outcome.callback());
  REQUIRE(child.has_value());
  child->out().on_data([&](std::string_view) { stop.request_stop(); });
  run_to_end(loop);
  REQUIRE(outcome.calls == 1);
  CHECK(outcome.result->error->code() == Errc::aborted);
  CHECK(outcome.result->exit == exit_signal(SIGINT));
  CHECK(outcome.result->out == "begun\n");
  CHECK(outcome.result->killed);
}

TEST_CASE("exec: an abort may come from another thread, or before the start") {
  Loop loop;
  Outcome outcome;
  std::stop_source stop;
  auto child = exec(loop, "exec sleep 100", {.signal = stop.get_token()}, outcome.callback());
  REQUIRE(child.has_value());
  std::jthread other([&] { stop.request_stop(); });
  run_to_end(loop);
  REQUIRE(outcome.calls == 1);
  CHECK(outcome.result->error->code() == Errc::aborted);

  auto again = run_exec("exec sleep 100", {.signal = stop.get_token()});
  CHECK(again.error->code() == Errc::aborted);
  CHECK(again.exit == exit_signal(SIGTERM));
}

TEST_CASE("exec: an abort after the end changes nothing") {
  Loop loop;
  Outcome outcome;
  std::stop_source stop;
  auto child = exec(loop, "true", {.signal = stop.get_token()}, outcome.callback());
  run_to_end(loop);
  stop.request_stop();
  run_to_end(loop);
  CHECK(outcome.calls == 1);
  CHECK(outcome.result->ok());
}

TEST_CASE("exec: the callback is the first of the close listeners") {
  Loop loop;
  std::string order;
  auto child = exec(loop, "true", {}, [&](const ExecResult&) { order += "callback "; });
  REQUIRE(child.has_value());
  child->on_exit([&](const Exit&) { order += "exit "; });
  child->on_close([&](const Exit&) { order += "close"; });
  run_to_end(loop);
  CHECK(order == "exit callback close");
}

TEST_CASE("exec: the child's stdin is a pipe to write to, and its output may be watched") {
  Loop loop;
  Outcome outcome;
  auto child = exec(loop, "tr a-z A-Z", {}, outcome.callback());
  REQUIRE(child.has_value());
  std::string seen;
  child->out().on_data([&](std::string_view bytes) { seen += bytes; });
  child->in().write("loud ");
  child->in().end("and clear");
  run_to_end(loop);
  CHECK(outcome.result->out == "LOUD AND CLEAR");
  CHECK(seen == outcome.result->out);
}

TEST_CASE("exec: input to a command that does not read it is an error of the stream alone") {
  Loop loop;
  Outcome outcome;
  auto child = exec(loop, "exec 0<&-; echo done", {}, outcome.callback());
  REQUIRE(child.has_value());
  std::string failure;
  child->in().on_error([&](const Error& e) { failure = e.name(); });
  child->in().end(std::string(4 * 1024 * 1024, 'x'));
  run_to_end(loop);
  CHECK(outcome.result->ok());
  CHECK(outcome.result->out == "done\n");
  CHECK((failure == "EPIPE" || failure.empty()));  // empty: its exit was seen first
}

TEST_CASE("exec: a callback is not needed") {
  Loop loop;
  std::optional<Exit> closed;
  auto child = exec(loop, "exit 2", {}, nullptr);
  REQUIRE(child.has_value());
  child->on_close([&](const Exit& e) { closed = e; });
  run_to_end(loop);
  CHECK(closed == exit_code(2));
}

}  // namespace
}  // namespace pronghorn::process

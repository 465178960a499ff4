// SPDX-License-Identifier: Apache-2.0
// What spawn and fork refuse before anything starts.
#include "tests/unit/process/process_fixture.h"

#include <chrono>
#include <sys/wait.h>

using namespace pronghorn;
using namespace pronghorn::test;
using namespace std::chrono_literals;
using namespace std::string_literals;
using process::Environment;
using process::ForkOptions;
using process::SpawnOptions;
using process::Stdio;

namespace {

struct Refused {
  std::string file = "true";
  std::vector<std::string> args{};
  SpawnOptions options{};
  std::error_code code;
  std::string text;
};

void check_refused(const Result<process::ChildProcess>& made, std::error_code code,
                   const std::string& text) {
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code() == code);
  CHECK(made.error().message() == text);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // nobody was started
}

const std::error_code kInvalid = Errc::invalid_arg_value;
const std::error_code kRange = Errc::out_of_range;
const std::error_code kSignal = Errc::unknown_signal;
const std::error_code kClosed(EBADF, std::generic_category());
constexpr const char* kFarFd = "stdio[1]: descriptor 987654: bad file descriptor";

}  // namespace

TEST_CASE("validate: spawn names the option that is wrong") {
  Loop loop;
  const std::string nul = "a\0b"s;
  const std::vector<Refused> table = {
      {"", {}, {}, kInvalid, "file: is empty"},
      {"", {}, {.shell = true}, kInvalid, "file: is empty"},
      {nul, {}, {}, kInvalid, "file: has a NUL byte"},
      {nul, {}, {.shell = true}, kInvalid, "file: has a NUL byte"},
      {"true", {"a", nul}, {}, kInvalid, "args[1]: has a NUL byte"},
      {"true", {}, {.cwd = nul}, kInvalid, "cwd: has a NUL byte"},
      {"true", {}, {.argv0 = nul}, kInvalid, "argv0: has a NUL byte"},
      {"true", {}, {.shell = nul}, kInvalid, "shell: has a NUL byte"},
      {"true",
       {"a"},
       {.shell = true},
       kInvalid,
       "args: a shell takes one command; put the arguments into it, quoted"},
      {"true", {}, {.env = {{nul, "x"}}}, kInvalid, "env: a name: has a NUL byte"},
      {"true", {}, {.env = {{"A", nul}}}, kInvalid, "env: the value of A: has a NUL byte"},
      {"true", {}, {.env = {{"A=B", "x"}}}, kInvalid, "env: the name 'A=B' has a '='"},
      {"true", {}, {.env = {{"", "x"}}}, kInvalid, "env: a name is empty"},
      {"true",
       {},
       {.env_merge = {{"A", nul}}},
       kInvalid,
       "env_merge: the value of A: has a NUL byte"},
      {"true",
       {},
       {.env_merge = Environment().unset("A=B")},
       kInvalid,
       "env_merge: the name 'A=B' has a '='"},
      {"true", {}, {.uid = static_cast<uid_t>(-1)}, kRange, "uid: -1 is no user"},
      {"true", {}, {.gid = static_cast<gid_t>(-1)}, kRange, "gid: -1 is no group"},
      {"true", {}, {.timeout = -1ms}, kRange, "timeout: -1 ms is negative"},
      {"true", {}, {.kill_grace = -5ms}, kRange, "kill_grace: -5 ms is negative"},
      {"true", {}, {.kill_signal = "SIGNONE"}, kSignal, "kill_signal: unknown signal 'SIGNONE'"},
      {"true", {}, {.kill_signal = 0}, kSignal, "kill_signal: unknown signal '0'"},
      {"true",
       {},
       {.stdio = {Stdio::ipc, Stdio::pipe, Stdio::ipc}},
       Errc::ipc_one_pipe,
       "stdio[2]: a second ipc"},
      {"true", {}, {.stdio = Stdio::ipc}, Errc::ipc_one_pipe, "stdio[1]: a second ipc"},
      {"true", {}, {.stdio = {Stdio::pipe, Stdio(987654)}}, kClosed, kFarFd},
      {"true",
       {},
       {.stdio = {Stdio::pipe, Stdio::pipe, Stdio(process::Stream())}},
       kClosed,
       "stdio[2]: descriptor -1: bad file descriptor"},
      {"true",
       {},
       {.stdio = {Stdio::with_input("x")}},
       Errc::invalid_sync_fork_input,
       "stdio[0]: input is for synchronous forms; write to the stream"},
      {"true",
       {},
       {.serialization = process::Serialization::advanced},
       Errc::unsupported_serialization,
       "serialization: 'advanced' is V8's own format, which only Node speaks; use json"},
  };
  for (const Refused& row : table) {
    CAPTURE(row.text);
    check_refused(process::spawn(loop, row.file, row.args, row.options), row.code, row.text);
  }
  CHECK(loop.run() == 0);
}

TEST_CASE("validate: an inherited descriptor that is not open is refused") {
  Loop loop;
  std::vector<Stdio> stdio(200, Stdio::ignore);
  stdio.emplace_back(Stdio::inherit);
  check_refused(process::spawn(loop, "true", {}, {.stdio = stdio}), kClosed,
                "stdio[200]: descriptor 200: bad file descriptor");
}

TEST_CASE("validate: fork names the option that is wrong") {
  Loop loop;
  const std::string nul = "a\0b"s;
  auto refused = [&](std::string module, std::vector<std::string> args, ForkOptions options,
                     std::error_code code, const std::string& text) {
    CAPTURE(text);
    check_refused(process::fork(loop, std::move(module), std::move(args), options), code, text);
  };
  refused("", {}, {}, kInvalid, "module_path: is empty");
  refused(nul, {}, {}, kInvalid, "module_path: has a NUL byte");
  refused("m", {nul}, {}, kInvalid, "args[0]: has a NUL byte");
  refused("m", {}, {.exec_path = nul}, kInvalid, "exec_path: has a NUL byte");
  refused("m", {}, {.exec_argv = {nul}}, kInvalid, "exec_argv[0]: has a NUL byte");
  refused("m", {}, {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe}}, Errc::ipc_required,
          "stdio: fork needs an ipc in it");
  refused("m", {}, {.stdio = {Stdio::with_input("x"), Stdio::pipe, Stdio::pipe, Stdio::ipc}},
          Errc::invalid_sync_fork_input,
          "stdio[0]: input is for synchronous forms; write to the stream");
  refused("m", {}, {.timeout = -1ms}, kRange, "timeout: -1 ms is negative");
  refused("m", {}, {.serialization = process::Serialization::advanced},
          Errc::unsupported_serialization,
          "serialization: 'advanced' is V8's own format, which only Node speaks; use json");
}

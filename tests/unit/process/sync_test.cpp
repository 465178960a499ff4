// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process/sync.h>

#include "base/unique_fd.h"
#include "tests/unit/base/leaks.h"
#include "tests/unit/process/exec_support.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace pronghorn::process {
namespace {

using test::exit_code;
using test::exit_signal;
using test::kSuccess;
using namespace std::chrono_literals;

/// Where `descriptor` of this process leads for a while: a file, and what was written to it.
class Captured {
 public:
  explicit Captured(int descriptor)
      : descriptor_(descriptor),
        before_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3)),
        file_(::memfd_create("captured", MFD_CLOEXEC)) {
    ::dup2(file_.get(), descriptor_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() { ::dup2(before_.get(), descriptor_); }
  std::string text() const {
    std::array<char, 4096> space{};
    ssize_t n = ::pread(file_.get(), space.data(), space.size(), 0);
    return {space.data(), static_cast<std::size_t>(n)};
  }

 private:
  int descriptor_;
  UniqueFd before_;
  UniqueFd file_;
};

SyncResult run_sync(std::string file, std::vector<std::string> args,
                    const SyncOptions& options = {}) {
  auto result = spawn_sync(std::move(file), std::move(args), options);
  REQUIRE(result.has_value());
  return std::move(*result);
}

SyncResult run_shell(std::string command, SyncOptions options = {}) {
  options.shell = true;
  return run_sync(std::move(command), {}, options);
}

TEST_CASE("sync: spawn_sync gives pid, output by descriptor, and how it ended") {
  auto r = run_shell("echo out; echo err >&2; exit 4");
  CHECK(r.pid.value_or(0) > 0);
  CHECK(::kill(r.pid.value_or(0), 0) == -1);  // reaped
  CHECK(r.exit == exit_code(4));
  CHECK(r.out == "out\n");
  CHECK(r.err == "err\n");
  REQUIRE(r.output.size() == 3);
  CHECK_FALSE(r.output[0].has_value());
  CHECK(r.output[1] == "out\n");
  CHECK(r.output[2] == "err\n");
  CHECK_FALSE(r.error.has_value());
}

TEST_CASE("sync: a signal that ended the child is told, and is no error") {
  auto r = run_shell("kill -KILL $$");
  CHECK(r.exit == exit_signal(SIGKILL));
  CHECK_FALSE(r.error.has_value());
}

TEST_CASE("sync: a file that is not there is in the error, without pid and output") {
  auto r = run_sync("pronghorn-no-such-file", {"a", "b"});
  CHECK_FALSE(r.pid.has_value());
  CHECK(r.exit == Exit{});
  CHECK(r.output.empty());
  REQUIRE(r.error.has_value());
  CHECK(r.error->name() == "ENOENT");
  REQUIRE(r.error->call() != nullptr);
  CHECK(r.error->call()->syscall == "spawnSync pronghorn-no-such-file");
  CHECK(r.error->call()->path == "pronghorn-no-such-file");
  CHECK(r.error->call()->spawnargs == std::vector<std::string>{"a", "b"});
}

TEST_CASE("sync: what the kernel refuses is in the error too") {
  auto r = run_sync("true", {std::string(4 * 1024 * 1024, 'x')});
  REQUIRE(r.error.has_value());
  CHECK(r.error->name() == "E2BIG");
  CHECK(r.error->call()->syscall == "spawnSync true");
  CHECK(r.exit == Exit{});  // neither, as in Node
}

TEST_CASE("sync: wrong arguments are refused, an ipc entry among them") {
  auto refused = [](const std::string& file, const SyncOptions& options) {
    auto result = spawn_sync(file, {}, options);
    return result ? "ran" : result.error().name();
  };
  CHECK(refused("", {}) == "ERR_INVALID_ARG_VALUE");
  CHECK(refused("true", {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::ipc}}) ==
        "ERR_IPC_SYNC_FORK");
  CHECK(refused("true", {.timeout = -5ms}) == "ERR_OUT_OF_RANGE");
  CHECK(refused("true", {.kill_signal = "SIGNONE"}) == "ERR_UNKNOWN_SIGNAL");
  CHECK(refused("true", {.stdio = {Stdio(9999)}}) == "EBADF");
  auto sync = exec_sync("", {});
  REQUIRE_FALSE(sync.has_value());
  CHECK(sync.error().error.code() == Errc::invalid_arg_value);
}

TEST_CASE("sync: without input the child's stdin is at its end") {
  CHECK(run_sync("cat", {}).exit == kSuccess);
}

TEST_CASE("sync: input is what the child reads, more than a pipe holds too") {
  CHECK(run_sync("cat", {}, {.input = "hello"}).out == "hello");
  CHECK(run_sync("cat", {}, {.input = ""}).out.empty());
  std::string much(3 * 1024 * 1024, 'x');
  CHECK(run_sync("cat", {}, {.input = much, .max_buffer = kUnlimited}).out == much);
}

TEST_CASE("sync: input may be given for any descriptor, and `input` overrides the first") {
  StdioList stdio{Stdio::with_input("zero "), Stdio::pipe, Stdio::pipe, Stdio::with_input("three")};
  CHECK(run_shell("cat; cat <&3", {.stdio = stdio}).out == "zero three");
  CHECK(run_shell("cat; cat <&3", {.stdio = stdio, .input = "over "}).out == "over three");
}

TEST_CASE("sync: a child that does not read its input is no failure") {
  std::string much(4 * 1024 * 1024, 'x');
  auto r = run_shell("exec 0<&-; echo done", {.input = much});
  CHECK(r.exit == kSuccess);
  CHECK(r.out == "done\n");
  CHECK_FALSE(r.error.has_value());
}

TEST_CASE("sync: descriptors above 2 are collected where they are pipes") {
  auto r = run_shell("echo three >&3; echo four >&4",
                     {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::pipe}});
  REQUIRE(r.output.size() == 5);
  CHECK(r.output[3] == "three\n");
  CHECK(r.output[4] == "four\n");
}

TEST_CASE("sync: inherited and ignored descriptors have no output") {
  Captured captured(STDERR_FILENO);
  auto r = run_shell("echo out; echo seen >&2",
                     {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::inherit}});
  CHECK(r.exit == kSuccess);
  REQUIRE(r.output.size() == 3);
  CHECK_FALSE(r.output[1].has_value());
  CHECK_FALSE(r.output[2].has_value());
  CHECK(captured.text() == "seen\n");
}

TEST_CASE("sync: timeout is ETIMEDOUT, and the child is ended by kill_signal") {
  auto r = run_shell("echo begun; exec sleep 100", {.timeout = 300ms, .kill_signal = SIGINT});
  REQUIRE(r.error.has_value());
  CHECK(r.error->name() == "ETIMEDOUT");
  CHECK(r.error->message() == "spawnSync /bin/sh: timed out after 300 ms");
  CHECK(r.error->call()->syscall == "spawnSync /bin/sh");
  CHECK(r.exit == exit_signal(SIGINT));
  CHECK(r.out == "begun\n");
}

TEST_CASE("sync: a child that does not heed the timeout's signal gets SIGKILL") {
  auto r =
      run_shell("trap '' TERM; while :; do sleep 1; done", {.timeout = 200ms, .kill_grace = 100ms});
  CHECK(r.error->name() == "ETIMEDOUT");
  CHECK(r.exit == exit_signal(SIGKILL));
}

TEST_CASE("sync: timeout also ends the wait for a grandchild that holds the pipe") {
  auto r = run_shell("sleep 100 & echo $!", {.timeout = 300ms});
  REQUIRE(r.error.has_value());
  CHECK(r.error->name() == "ETIMEDOUT");
  CHECK(r.exit == kSuccess);
  ::kill(std::atoi(r.out.c_str()), SIGKILL);
}

TEST_CASE("sync: over max_buffer is ENOBUFS, cut there, and ends the child") {
  auto exactly = run_sync("printf", {"12345"}, {.max_buffer = 5});
  CHECK_FALSE(exactly.error.has_value());
  auto r = run_shell("printf 123456; exec sleep 100", {.max_buffer = 5});
  REQUIRE(r.error.has_value());
  CHECK(r.error->name() == "ENOBUFS");
  CHECK(r.error->message() == "spawnSync /bin/sh: more than max_buffer, 5 bytes, on stdout");
  CHECK(r.out == "12345");
  CHECK(r.output[1] == "12345");
  CHECK(r.exit == exit_signal(SIGTERM));
}

TEST_CASE("sync: what was too much for stderr says so") {
  auto r = run_shell("printf 123456 >&2; exec sleep 100", {.max_buffer = 5});
  REQUIRE(r.error.has_value());
  CHECK(r.error->message() == "spawnSync /bin/sh: more than max_buffer, 5 bytes, on stderr");
}

TEST_CASE("sync: one that writes 1 GiB is ended at max_buffer, within bounded memory") {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  auto r = run_sync("head", {"-c", "1073741824", "/dev/zero"});
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  CHECK(r.error->name() == "ENOBUFS");
  CHECK(r.out.size() == kDefaultMaxBuffer);
  CHECK(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
}

TEST_CASE("sync: cwd, env, argv0 and encoding") {
  CHECK(run_sync("pwd", {}, {.cwd = "/"}).out == "/\n");
  CHECK(run_shell("echo $A", {.env_merge = {{"A", "merged"}}}).out == "merged\n");
  CHECK(run_sync("sh", {"-c", "echo $0"}, {.argv0 = "another"}).out == "another\n");
  CHECK(run_sync("printf", {R"(\303)"}, {.encoding = Encoding::utf8}).out == "\xEF\xBF\xBD");
}

TEST_CASE("sync: exec_sync gives stdout, and passes stderr on to ours") {
  Captured captured(STDERR_FILENO);
  auto out = exec_sync("echo out; echo noted >&2");
  REQUIRE(out.has_value());
  CHECK(*out == "out\n");
  CHECK(captured.text() == "noted\n");
}

TEST_CASE("sync: exec_sync keeps stderr to itself where stdio is given") {
  Captured captured(STDERR_FILENO);
  auto out = exec_sync("echo noted >&2; exit 2", {.stdio = Stdio::pipe});
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().result.err == "noted\n");
  CHECK(captured.text().empty());
}

TEST_CASE("sync: a failure carries everything, and names the command") {
  Captured captured(STDERR_FILENO);
  auto out = exec_sync("echo out; echo why >&2; exit 5");
  REQUIRE_FALSE(out.has_value());
  const SyncFailure& failure = out.error();
  CHECK(failure.error.code() == Errc::command_failed);
  CHECK(failure.error.message() == "Command failed: echo out; echo why >&2; exit 5\nwhy\n");
  CHECK(failure.result.exit == exit_code(5));
  CHECK(failure.result.out == "out\n");
  CHECK(failure.result.err == "why\n");
  CHECK(failure.result.pid.has_value());
  CHECK_FALSE(failure.result.error.has_value());
  CHECK(captured.text() == "why\n");
}

TEST_CASE("sync: exec_file_sync runs a program without a shell") {
  CHECK(exec_file_sync("printf", {"%s", "$HOME"}).value_or("") == "$HOME");
  auto failed = exec_file_sync("sh", {"-c", "exit 6"});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().error.message() == "Command failed: sh -c exit 6");
  auto missing = exec_file_sync("pronghorn-no-such-file");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().error.name() == "ENOENT");
  auto late = exec_file_sync("sleep", {"100"}, {.timeout = 50ms});
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().error.name() == "ETIMEDOUT");
  CHECK(late.error().result.exit == exit_signal(SIGTERM));
}

TEST_CASE("sync: our stderr being broken is no harm") {
  UniqueFd kept(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  ::close(ends[0]);
  ::dup2(ends[1], STDERR_FILENO);  // a pipe that nobody reads: SIGPIPE would end this test
  ::close(ends[1]);
  auto broken = exec_sync("echo lost >&2; echo kept");
  UniqueFd refusing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ::dup2(refusing.get(), STDERR_FILENO);
  auto refused = exec_sync("echo kept too");
  ::dup2(kept.get(), STDERR_FILENO);
  CHECK(broken.value_or("") == "kept\n");
  CHECK(refused.value_or("") == "kept too\n");
}

TEST_CASE("sync: another loop of the thread is not disturbed, and does not run meanwhile") {
  Loop loop;
  int turns = 0;
  test::Outcome outcome;
  uv::Timer timer(loop, [&] { ++turns; });
  timer.start(Millis(0), Millis(1));
  timer.unref();
  auto child = exec(loop, "echo asynchronous", {}, outcome.callback());
  REQUIRE(child.has_value());
  CHECK(exec_sync("sleep 0.05; echo synchronous").value_or("") == "synchronous\n");
  CHECK(turns == 0);
  CHECK(outcome.calls == 0);
  test::run_to_end(loop);
  CHECK(outcome.result->out == "asynchronous\n");
}

TEST_CASE("sync: it works from several threads at once, and from within a callback of a loop") {
  std::array<std::string, 4> outputs;
  {
    std::vector<std::jthread> threads;
    for (std::string& out : outputs) {
      threads.emplace_back([&out] { out = exec_sync("echo from a thread").value_or(""); });
    }
  }
  for (const std::string& out : outputs) CHECK(out == "from a thread\n");
  Loop loop;
  std::string inner;
  loop.defer([&] { inner = exec_sync("echo within").value_or(""); });
  test::run_to_end(loop);
  CHECK(inner == "within\n");
}

TEST_CASE("sync: no descriptor and no child is left behind") {
  (void)exec_sync("true");
  auto before = test::count_descriptors();
  for (int i = 0; i < 20; ++i) (void)exec_sync("true");
  (void)exec_file_sync("pronghorn-no-such-file");
  (void)exec_file_sync("sleep", {"100"}, {.timeout = 20ms});
  CHECK(test::count_descriptors() == before);
  CHECK(test::is_childless());
}

TEST_CASE("sync: with no descriptors left the error says so") {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  auto result = spawn_sync("true");
  setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(result.has_value());
  REQUIRE(result->error.has_value());
  CHECK(result->error->name() == "EMFILE");
  CHECK(result->error->call()->syscall == "spawnSync true");
  CHECK(result->exit == Exit{});
}

}  // namespace
}  // namespace pronghorn::process

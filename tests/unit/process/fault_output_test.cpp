// SPDX-License-Identifier: Apache-2.0
// Children that write without end, also on the channel, and descendants that keep the pipe.
#include <pronghorn/process/exec.h>

#include "tests/unit/process/fault_support.h"

#include <nlohmann/json.hpp>

#include <sys/ioctl.h>

using namespace pronghorn;
using namespace pronghorn::test;
using process::ExecResult;
using process::Stdio;

namespace {

constexpr long kMiB = 1024;  // in KiB
// AddressSanitizer keeps freed memory in a quarantine of 256 MiB.
constexpr long kMostGrowth = kSanitized ? 400 * kMiB : 24 * kMiB;
constexpr std::size_t kGiB = std::size_t{1} << 30;

}  // namespace

TEST_CASE("fault: 1 GiB of output against a max_buffer of 1 MiB costs no more memory than that") {
  // The second ignores what should end it, and goes on writing into a pipe that nobody reads.
  for (const char* command : {"exec head -c 1073741824 /dev/zero",
                              "trap '' TERM PIPE; head -c 1073741824 /dev/zero; exit 7"}) {
    CAPTURE(command);
    const long before = start_peak();
    Loop loop;
    std::optional<ExecResult> result;
    auto child = process::exec(loop, command, {.max_buffer = 1024 * 1024},
                               [&](const ExecResult& r) { result = r; });
    REQUIRE(child.has_value());
    REQUIRE(run_until(loop, [&] { return result.has_value(); }));
    CHECK(peak_kib() - before < kMostGrowth);
    REQUIRE(result->error.has_value());
    CHECK(result->error->name() == "ERR_CHILD_PROCESS_STDIO_MAXBUFFER");
    CHECK(result->killed);
    CHECK(result->out.size() == 1024 * 1024);
    CHECK(result->out.find_first_not_of('\0') == std::string::npos);
  }
}

TEST_CASE("fault: 1 GiB that is read as it comes costs no memory") {
  const long before = start_peak();
  Loop loop;
  Child child;
  child.spawn(loop, "head", {"-c", std::to_string(kGiB), "/dev/zero"});
  std::size_t read = 0;
  child->out().on_data([&](std::string_view bytes) { read += bytes.size(); });
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(read == kGiB);
  CHECK(peak_kib() - before < kMostGrowth);
  CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
}

TEST_CASE("fault: a grandchild keeps the pipe: exit at once, its output and close when it leaves") {
  Loop loop;
  Child child;
  // cat outlives the shell; it ends with descriptor 3.
  child.spawn(loop, "sh", {"-c", "cat <&3 & exit 5"},
              {.stdio = {Stdio::ignore, Stdio::pipe, Stdio::pipe, Stdio::pipe}});
  child.read();
  REQUIRE(run_until(loop, [&] { return child.exit.has_value(); }));
  CHECK(child.exit == process::Exit{.code = 5});
  REQUIRE(child->stdio(3) != nullptr);
  CHECK(child->stdio(3)->write("from the grandchild"));
  REQUIRE(run_until(loop, [&] { return !child.out.empty(); }));
  CHECK(child.out == "from the grandchild");
  CHECK_FALSE(child.closed);
  child->stdio(3)->end();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.events == Events{"spawn", "exit 5", "close 5"});
}

TEST_CASE(
    "fault: a grandchild keeps the channel: exit at once, disconnect and close when it leaves") {
  Loop loop;
  Child child;
  process::ForkOptions options;
  options.stdio = {Stdio::ignore, Stdio::ignore, Stdio::inherit, Stdio::ipc, Stdio::pipe};
  child.fork_shell(loop, "(read line <&4; echo \"\\\"$line\\\"\" >&3; cat <&4) & exit 5", options);
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.exit.has_value(); }));
  CHECK(child->connected());
  CHECK(child->stdio(4)->write("late\n"));
  REQUIRE(run_until(loop, [&] { return !child.messages.empty(); }));
  CHECK(child.messages == std::vector<std::string>{"\"late\""});
  CHECK_FALSE(child.closed);
  child->stdio(4)->end();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.saw("disconnect"));
  CHECK(child.events.front() == "spawn");
  CHECK(child.events.back() == "close 5");
}

TEST_CASE(
    "fault: a line without end on the channel is cut at max_message, and costs no more memory") {
  const long before = start_peak();
  Loop loop;
  Child child;
  process::ForkOptions options;
  options.channel_limits.max_message = 4 * 1024 * 1024;
  child.fork_shell(loop, "tr '\\0' 1 </dev/zero >&3 2>/dev/null; exit 5", options);
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  REQUIRE(child.errors.size() == 1);
  CHECK(child.errors[0].code() == Errc::protocol);
  CHECK(child.exit == process::Exit{.code = 5});
  CHECK(peak_kib() - before < kMostGrowth);
}

TEST_CASE("fault: messages that nobody listens for stay in the channel beyond max_pending") {
  const long before = start_peak();
  const std::size_t messages = 65536;  // of 1 KiB
  Loop loop;
  Child child;
  process::ForkOptions options;
  options.channel_limits.max_pending = 1024 * 1024;
  child.fork_shell(loop, R"(
    line="\"$(head -c 1021 /dev/zero | tr '\0' x)\""
    yes "$line" | head -n 65536 >&3)",
                   options);
  // Readable, and not read: the limit is reached.
  auto unread = [&] {
    int bytes = 0;
    return ::ioctl(child->channel()->fd(), FIONREAD, &bytes) == 0 ? bytes : 0;
  };
  int turns_without = 0;
  REQUIRE(run_until(loop, [&] {
    turns_without = unread() > 0 ? turns_without + 1 : 0;
    return turns_without > 20;
  }));
  CHECK_FALSE(child.exit.has_value());
  CHECK(peak_kib() - before < kMostGrowth);
  std::size_t bytes = 0;
  std::size_t count = 0;
  child->on_message([&](const Json& m) {
    ++count;
    bytes += m.get_ref<const std::string&>().size();
  });
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(count == messages);
  CHECK(bytes == messages * 1021);
  CHECK(peak_kib() - before < kMostGrowth);
}

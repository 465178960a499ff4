// SPDX-License-Identifier: Apache-2.0
#include "process/collector.h"
#include "tests/unit/process/exec_support.h"

#include <filesystem>

namespace pronghorn::process {
namespace {

using test::error_of;
using test::exit_code;
using test::exit_signal;
using test::run_exec_file;

TEST_CASE("exec_file: arguments reach the program as they are, without a shell") {
  auto r = run_exec_file("printf", {"<%s>", "$HOME; a  b", "*", ""});
  CHECK(r.ok());
  CHECK(r.out == "<$HOME; a  b><*><>");
  CHECK(r.cmd == "printf <%s> $HOME; a  b * ");
}

TEST_CASE("exec_file: another exit code names file and arguments") {
  auto r = run_exec_file("sh", {"-c", "echo no >&2; exit 9"});
  CHECK(r.exit == exit_code(9));
  CHECK(error_of(r) == ": Command failed: sh -c echo no >&2; exit 9\nno\n");
}

TEST_CASE("exec_file: a file that is not there is ENOENT with what was called, and no output") {
  auto r = run_exec_file("pronghorn-no-such-file", {"a", "b"});
  CHECK(r.exit == exit_code(-ENOENT));
  REQUIRE(r.error.has_value());
  CHECK(r.error->name() == "ENOENT");
  CHECK(r.error->errno_value() == ENOENT);
  REQUIRE(r.error->call() != nullptr);
  CHECK(r.error->call()->syscall == "spawn pronghorn-no-such-file");
  CHECK(r.error->call()->path == "pronghorn-no-such-file");
  CHECK(r.error->call()->spawnargs == std::vector<std::string>{"a", "b"});
  CHECK(r.out.empty());
  CHECK_FALSE(r.killed);
  CHECK(r.cmd == "pronghorn-no-such-file a b");
}

TEST_CASE("exec_file: a file that is no program is EACCES") {
  auto r = run_exec_file("/etc/passwd", {});
  CHECK(r.error->name() == "EACCES");
  CHECK(r.exit == exit_code(-EACCES));
}

TEST_CASE("exec_file: with a shell the file is one command, and arguments beside it are refused") {
  CHECK(run_exec_file("echo $((40 + 2))", {}, {.shell = true}).out == "42\n");
  Loop loop;
  auto refused = exec_file(loop, "echo", {"a"}, {.shell = true}, nullptr);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Errc::invalid_arg_value);
}

TEST_CASE("exec_file: what the child is killed with by hand counts as killed") {
  Loop loop;
  test::Outcome outcome;
  auto child = exec_file(loop, "sleep", {"100"}, {}, outcome.callback());
  REQUIRE(child.has_value());
  CHECK(child->kill("SIGINT").value());
  test::run_to_end(loop);
  CHECK(outcome.result->exit == exit_signal(SIGINT));
  CHECK(outcome.result->killed);
  CHECK(outcome.result->error->code() == Errc::command_failed);
}

TEST_CASE("exec_file: the output of a child that closes stdout early and goes on is kept") {
  auto r = run_exec_file("sh", {"-c", "echo first; exec 1>&-; sleep 0.05; echo last >&2"});
  CHECK(r.out == "first\n");
  CHECK(r.err == "last\n");
}

TEST_CASE("exec_file: a collector that was filled keeps no more") {
  Collector collector(4);
  CHECK(collector.add("abc"));
  CHECK(collector.add("d"));
  CHECK_FALSE(collector.is_cut());
  CHECK(collector.add(""));
  CHECK_FALSE(collector.add("e"));
  CHECK_FALSE(collector.add(""));
  CHECK(collector.take(Encoding::buffer) == "abcd");
}

TEST_CASE("exec_file: utf8 replaces each longest beginning of a character once, as Node does") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(replace_invalid_utf8("") == "");
  CHECK(replace_invalid_utf8("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA6\x8C") ==
        "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\xA6\x8C");
  CHECK(replace_invalid_utf8(std::string("a\0b", 3)) == std::string("a\0b", 3));
  CHECK(replace_invalid_utf8("\x80\xFF") == mark + mark);
  CHECK(replace_invalid_utf8("\xC0\xAF") == mark + mark);                        // overlong
  CHECK(replace_invalid_utf8("\xE0\x80\x80") == mark + mark + mark);             // overlong
  CHECK(replace_invalid_utf8("\xED\xA0\x80") == mark + mark + mark);             // a surrogate
  CHECK(replace_invalid_utf8("\xF4\x90\x80\x80") == mark + mark + mark + mark);  // over U+10FFFF
  CHECK(replace_invalid_utf8("\xE2\x82x") == mark + "x");
  CHECK(replace_invalid_utf8("\xF0\x9F\xA6\xF0\x9F\xA6\x8C") == mark + "\xF0\x9F\xA6\x8C");
  CHECK(replace_invalid_utf8("x\xF0\x9F\xA6") == "x" + mark);
  CHECK(replace_invalid_utf8("x\xF0\x9F\xA6", true) == "x");
  CHECK(replace_invalid_utf8("\xC3x\xFF", true) == mark + "x" + mark);
}

}  // namespace
}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// Every form of spawn's stdio.
#include "tests/unit/process/process_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using process::Stdio;
using process::StdioList;
using process::Stream;

namespace {

// A pipe that the child writes into, and what came out of it.
struct Capture {
  int ends[2] = {-1, -1};
  UniqueFd read_end;
  UniqueFd write_end;
  Capture() {
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  std::string text() {
    write_end.reset();
    std::string all;
    std::array<char, 4096> space{};
    for (ssize_t n = 0; (n = ::read(read_end.get(), space.data(), space.size())) > 0;) {
      all.append(space.data(), static_cast<std::size_t>(n));
    }
    return all;
  }
};

}  // namespace

TEST_CASE("stdio: pipes are the default, and fill up a short list") {
  for (const StdioList& list : {StdioList(), StdioList(std::vector<Stdio>{}),
                                StdioList{Stdio::overlapped}, StdioList{Stdio(-1)}}) {
    Loop loop;
    Child child;
    child.spawn(loop, "cat", {}, {.stdio = list});
    child.read();
    CHECK(child->stdio(0) == &child->in());
    CHECK(child->stdio(1) == &child->out());
    CHECK(child->stdio(2) == &child->err());
    CHECK(child->stdio(3) == nullptr);
    child->in().end("through cat");
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    CHECK(child.out == "through cat");
  }
}

TEST_CASE("stdio: what is no pipe is an ended stream here") {
  Loop loop;
  Child child;
  child.shell(loop, "all=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2); echo \"$all\" >&3",
              {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::ignore, Stdio::pipe}});
  CHECK(child->stdio(0) == nullptr);
  CHECK(child->stdio(2) == nullptr);
  CHECK_FALSE(child->in().is_writable());
  CHECK_FALSE(child->out().is_readable());
  CHECK_FALSE(child->in().write("lost"));
  std::string told;
  child->stdio(3)->on_data([&](std::string_view bytes) { told += bytes; });
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(told == "/dev/null\n/dev/null\n/dev/null\n");
}

TEST_CASE("stdio: above 2 a pipe works both ways, and what is ignored is /dev/null") {
  Loop loop;
  Child child;
  child.shell(loop, "readlink /proc/$$/fd/3; cat <&4 >&4",
              {.stdio = {Stdio::ignore, Stdio::pipe, Stdio::inherit, Stdio::ignore, Stdio::pipe}});
  child.read();
  CHECK(child->stdio(3) == nullptr);
  Stream& both = *child->stdio(4);
  std::string back;
  both.on_data([&](std::string_view bytes) { back += bytes; });
  both.end("there and back");
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.out == "/dev/null\n");
  CHECK(back == "there and back");
}

TEST_CASE("stdio: a pipe above 2 that nobody touches does not keep close from coming") {
  Loop loop;
  Child child;
  child.shell(loop, "echo unread >&3",
              {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::pipe}});
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.events == Events{"spawn", "exit 0", "close 0"});
}

TEST_CASE("stdio: a descriptor of ours is duplicated, also over itself and crosswise") {
  Loop loop;
  Capture first;
  Capture second;
  Child child;
  const int a = first.write_end.get();
  const int b = second.write_end.get();
  std::vector<Stdio> list(static_cast<std::size_t>(std::max(a, b)) + 1, Stdio::ignore);
  list[1] = a;
  list[2] = b;
  list[static_cast<std::size_t>(a)] = b;
  list[static_cast<std::size_t>(b)] = a;
  child.shell(loop,
              "echo 1; echo 2 >&2; echo a >/proc/self/fd/" + std::to_string(a) +
                  "; echo b >/proc/self/fd/" + std::to_string(b),
              {.stdio = list});
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(first.text() == "1\nb\n");
  CHECK(second.text() == "2\na\n");
}

TEST_CASE("stdio: inherited descriptors pass through a middle process") {
  Loop loop;
  Capture capture;
  Child child;
  child.spawn(loop, "sh", {"-c", "sh -c 'echo below; cat <&0'"},
              {.stdio = {Stdio::pipe, Stdio(capture.write_end.get()), Stdio::inherit}});
  child->in().end("input\n");
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(capture.text() == "below\ninput\n");
}

TEST_CASE("stdio: one child's stream is another's descriptor") {
  Loop loop;
  Child sink;
  sink.spawn(loop, "cat");
  sink.read();
  Child source;
  source.spawn(loop, "echo", {"straight"},
               {.stdio = {Stdio::ignore, Stdio(sink->in()), Stdio::inherit}});
  REQUIRE(run_until(loop, [&] { return source.closed; }));
  sink->in().end();
  REQUIRE(run_until(loop, [&] { return sink.closed; }));
  CHECK(sink.out == "straight\n");
}

TEST_CASE("stdio: output goes through our pipes from child to child") {
  Loop loop;
  Child echo;
  Child grep;
  Child sed;
  echo.spawn(loop, "printf", {"hello\nnode\nand\nworld\n"});
  grep.spawn(loop, "grep", {"o"});
  sed.spawn(loop, "sed", {"s/o/O/"});
  echo->out().pipe(grep->in());
  grep->out().pipe(sed->in());
  sed.read();
  REQUIRE(run_until(loop, [&] { return echo.closed && grep.closed && sed.closed; }));
  CHECK(sed.out == "hellO\nnOde\nwOrld\n");
}

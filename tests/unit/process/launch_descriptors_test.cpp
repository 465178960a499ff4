// SPDX-License-Identifier: Apache-2.0
// Which descriptors a launched program has, and that ours are untouched.
#include "launch_support.h"
#include "process/launch.h"

#include <map>
#include <random>
#include <sys/stat.h>
#include <utility>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::process;
using pronghorn::test::output;
using pronghorn::test::Pipe;
using pronghorn::test::plan;
using pronghorn::test::shell;

namespace {

const std::string kList =
    "for f in /proc/self/fd/*; do test -e $f && printf '%s ' ${f##*/}; done; true";

std::string listed(std::vector<int> descriptors) {
  auto what = shell(kList);
  what.descriptors = std::move(descriptors);
  return output(what);
}

ino_t inode_of(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 ? info.st_ino : 0;
}

/// Descriptor flags and status flags of all that is open here.
std::map<int, std::pair<int, int>> own_flags() {
  std::map<int, std::pair<int, int>> out;
  for (int fd = 0; fd < 200; ++fd)
    if (int flags = ::fcntl(fd, F_GETFD); flags >= 0) out[fd] = {flags, ::fcntl(fd, F_GETFL)};
  return out;
}

/// Launches with descriptors {-1, a pipe, 2, then these} and checks by inode that each arrived.
void check_arrival(const std::vector<int>& sources) {
  auto what = plan({"stat", "-L", "-c", "%i"});
  what.descriptors = {-1, -1, 2};
  std::string expected;
  for (std::size_t n = 0; n < sources.size(); ++n) {
    what.argv.push_back("/proc/self/fd/" + std::to_string(n + 3));
    what.descriptors.push_back(sources[n]);
    expected += std::to_string(inode_of(sources[n])) + "\n";
  }
  CHECK(output(what) == expected);
}

}  // namespace

TEST_CASE("launch: the child has the descriptors that it was given and no other") {
  // One of ours that is not close-on-exec, as a careless parent leaves them.
  UniqueFd leaked(::fcntl(0, F_DUPFD, 20));
  Pipe extra;
  SUBCASE("the usual three") { CHECK(listed({-1, 1, -1}) == "0 1 2 "); }
  SUBCASE("a place that is /dev/null, and one more") {
    CHECK(listed({-1, 1, -1, -1, extra.in.get()}) == "0 1 2 3 4 ");
  }
  SUBCASE("fewer than three") { CHECK(listed({-1, 1}) == "0 1 "); }
  SUBCASE("one that must be copied before its number is taken") {
    CHECK(listed({-1, 1, -1, 0, 1}) == "0 1 2 3 4 ");
  }
}

TEST_CASE("launch: -1 is /dev/null, to read for 0 and to read and write for others") {
  auto what = shell("cat; for n in 0 2 3; do readlink /proc/$$/fd/$n; done");
  what.descriptors = {-1, 1, -1, -1};
  CHECK(output(what) == "/dev/null\n/dev/null\n/dev/null\n");
  what = shell("echo x >&2 && ! echo x >&0");
  what.descriptors = {-1, 1, -1};
  output(what);
}

TEST_CASE("launch: descriptors arrive in any order, also where targets are sources") {
  // Six different ones at 100 to 105, and at 3 to 8, so that each target is a source.
  std::vector<UniqueFd> files;
  for (int n = 0; n < 6; ++n) files.emplace_back(::fcntl(Pipe().in.get(), F_DUPFD_CLOEXEC, 100));
  std::vector<int> numbers{3, 4, 5, 6, 7, 8};
  for (std::size_t n = 0; n < numbers.size(); ++n)
    REQUIRE(::dup3(files[n].get(), numbers[n], O_CLOEXEC) == numbers[n]);
  auto before = own_flags();
  SUBCASE("each at its own number") { check_arrival(numbers); }
  SUBCASE("two swapped") { check_arrival({4, 3, 5, 6, 7, 8}); }
  SUBCASE("turned by one, and by the other") {
    check_arrival({4, 5, 6, 7, 8, 3});
    check_arrival({8, 3, 4, 5, 6, 7});
  }
  SUBCASE("reversed") { check_arrival({8, 7, 6, 5, 4, 3}); }
  SUBCASE("one in all places") { check_arrival({5, 5, 5, 5, 5, 5}); }
  SUBCASE("one at its own place and elsewhere") { check_arrival({4, 4, 4, 3, 3, 8}); }
  SUBCASE("some far away") { check_arrival({100, 3, 102, 4, 100, 5}); }
  SUBCASE("at random") {
    std::mt19937 random(42);
    std::uniform_int_distribution<int> any(3, 8);
    for (int round = 0; round < 40; ++round) {
      std::vector<int> sources(6);
      for (int& each : sources) each = any(random);
      check_arrival(sources);
    }
  }
  CHECK(own_flags() == before);
  for (int number : numbers) ::close(number);
}

TEST_CASE("launch: standard descriptors may be swapped too") {
  Pipe a;
  Pipe b;
  UniqueFd out(::fcntl(1, F_DUPFD_CLOEXEC, 50));
  UniqueFd err(::fcntl(2, F_DUPFD_CLOEXEC, 50));
  ::dup3(a.in.get(), 1, 0);
  ::dup3(b.in.get(), 2, 0);
  auto what = shell("printf one; printf two >&2");
  what.descriptors = {-1, 2, 1};
  auto child = launch(what);
  ::dup3(out.get(), 1, 0);
  ::dup3(err.get(), 2, 0);
  REQUIRE(child.has_value());
  CHECK(a.text() == "two");
  CHECK(b.text() == "one");
  test::wait_for(*child);
}

TEST_CASE("launch: descriptors arrive blocking or not as they are, and ours stay so") {
  Pipe blocking;
  Pipe other;
  ::fcntl(other.in.get(), F_SETFL, O_WRONLY | O_NONBLOCK);
  auto before = own_flags();
  auto what = shell("for n in 3 4; do grep flags /proc/$$/fdinfo/$n; done");
  what.descriptors = {-1, 1, 2, blocking.in.get(), other.in.get()};
  // 01 is O_WRONLY, 04000 O_NONBLOCK.
  CHECK(output(what) == "flags:\t01\nflags:\t04001\n");
  CHECK(own_flags() == before);
}

TEST_CASE("launch: close-on-exec flags of ours stay, set or not") {
  Pipe pipe;
  UniqueFd open(::fcntl(0, F_DUPFD, 20));
  auto before = own_flags();
  CHECK(listed({-1, 1, 2, pipe.in.get(), open.get(), pipe.in.get()}) == "0 1 2 3 4 5 ");
  CHECK(own_flags() == before);
  CHECK(::fcntl(open.get(), F_GETFD) == 0);
}

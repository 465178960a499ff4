// SPDX-License-Identifier: Apache-2.0
// Launched programs of a test: what they write, how they end, and that nothing of them stays.
#pragma once

#include "process/launch.h"
#include "process/reaper.h"
#include "tests/unit/base/leaks.h"
#include "tests/unit/base/run_until.h"

#include <doctest/doctest.h>

#include <array>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace pronghorn::test {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  /// All that is written until every other end for writing is closed. The child must be ours alone.
  std::string text() {
    in.reset();
    std::string all;
    std::array<char, 4096> space{};
    for (ssize_t n = 0; (n = ::read(out.get(), space.data(), space.size())) > 0;)
      all.append(space.data(), static_cast<std::size_t>(n));
    return all;
  }
  UniqueFd out;
  UniqueFd in;
};

inline process::LaunchPlan plan(std::vector<std::string> argv) {
  process::LaunchPlan out;
  out.file = argv.front();
  out.argv = std::move(argv);
  out.env = {"PATH=/usr/bin:/bin"};
  out.descriptors = {-1, 1, 2};
  return out;
}
inline process::LaunchPlan shell(const std::string& line) { return plan({"sh", "-c", line}); }

/// Waits without a loop.
inline process::Exit wait_for(const process::Launched& child) {
  siginfo_t info{};
  REQUIRE(::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED) == 0);
  if (info.si_code == CLD_EXITED) return {.code = info.si_status};
  return {.signal = info.si_status};
}

/// What the program wrote to its descriptor 1; it must succeed.
inline std::string output(process::LaunchPlan what) {
  Pipe pipe;
  what.descriptors.at(1) = pipe.in.get();
  auto child = process::launch(what);
  REQUIRE(child.has_value());
  std::string text = pipe.text();
  CHECK(wait_for(*child) == process::Exit{.code = 0});
  return text;
}

}  // namespace pronghorn::test

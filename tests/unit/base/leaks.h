// SPDX-License-Identifier: Apache-2.0
// What a test may have left behind in this process: descriptors and children.
#pragma once

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <sys/wait.h>

namespace pronghorn::test {

/// How many descriptors are open here, and the one that looks. For differences: libuv opens a pipe
/// of its own with the first loop of a process.
inline std::size_t count_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

/// No child of ours, running or zombie, is left.
inline bool is_childless() {
  return ::waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

}  // namespace pronghorn::test

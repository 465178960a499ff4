// SPDX-License-Identifier: Apache-2.0
// Starting a program: one clone(2) and exec(2), no loop. Called by spawn and by the synchronous
// forms.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace pronghorn::process {

struct LaunchPlan {
  std::string file{};               ///< searched on the PATH of `env` when it has no '/'
  std::vector<std::string> argv{};  ///< argv[0] included
  std::vector<std::string> env{};   ///< "NAME=value"
  std::string cwd{};                ///< empty: inherited
  /// Descriptor n of the child is descriptors[n] of ours, -1: /dev/null. It gets no other.
  std::vector<int> descriptors{};
  bool detached = false;
  bool own_group = false;
  std::optional<uid_t> uid{};
  std::optional<gid_t> gid{};
  std::vector<gid_t> groups{};  ///< supplementary ones, with uid or gid
  /// With uid: no capability is left, none can be got (PR_SET_NO_NEW_PRIVS), and uid 0 was tried in
  /// vain; else the start fails.
  bool no_way_back = false;
};

/// What the child was doing when it failed.
enum class LaunchStep : std::uint8_t { clone, descriptors, session, directory, identity, exec };

struct LaunchFailure {
  int error = 0;  ///< errno
  LaunchStep step = LaunchStep::clone;
};

struct Launched {
  int pid = -1;
  UniqueFd pidfd;
};

/// Returns when the program runs, or with what failed; a failed child is already reaped. The child
/// begins with the default action of each signal and an empty mask; our descriptors, flags, signal
/// actions and working directory stay as they are. The cost does not grow with our memory.
/// An executable text without "#!" is run by /bin/sh, as execvp(3) does.
std::expected<Launched, LaunchFailure> launch(const LaunchPlan& plan);

}  // namespace pronghorn::process

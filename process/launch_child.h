// SPDX-License-Identifier: Apache-2.0
// What a launched child does before exec(2), while it still runs in our memory. Called by launch().
#pragma once

#include "process/launch.h"

#include <cstddef>
#include <sys/types.h>

namespace pronghorn::process {

/// All that the child needs, prepared by the parent: it may neither allocate nor lock.
struct ChildPlan {
  const char* const* candidates;  ///< the paths to try, in order; ends with null
  char* const* argv;              ///< ends with null
  /// {"/bin/sh", "", argv[1] …, null}: for a text without "#!"; its second place is filled in.
  const char** script_argv;
  char* const* env;
  const char* cwd;   ///< null: inherited
  int* descriptors;  ///< changed by the child
  int descriptor_count;
  bool detached;
  bool own_group;
  const uid_t* uid;  ///< null: inherited
  const gid_t* gid;
  const gid_t* groups;
  std::size_t group_count;
  bool no_way_back;
  LaunchFailure failure;  ///< the child's report, in the memory that it shares with us
};

/// The child's program, for clone(2): becomes the new one, or fills in the failure and ends.
int launch_child(void* plan) noexcept;

}  // namespace pronghorn::process

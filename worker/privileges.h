// SPDX-License-Identifier: Apache-2.0
// Whether a worker has really given up what its master has: looked at before anything is read from
// a client.
#pragma once

#include <pronghorn/base/result.h>

#include <sys/types.h>

namespace pronghorn::worker {

/// @errors this process is not `uid` alone, has a capability, or could get root back
Result<void> check_privileges_dropped(uid_t uid);

}  // namespace pronghorn::worker

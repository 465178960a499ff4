// SPDX-License-Identifier: Apache-2.0
// Why listening failed, as people read it: what, who is in the way, and what to type next.
#pragma once

#include <pronghorn/config/config.h>

#include "master/start_failure.h"

namespace pronghorn::master {

/// Of bind(2), listen(2) or socket(2).
StartFailure listen_failure(const config::ListenAddress& address, int errno_value);
/// Of getaddrinfo(3): an EAI_ value.
StartFailure resolve_failure(const config::ListenAddress& address, int eai_value);

}  // namespace pronghorn::master

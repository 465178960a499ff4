// SPDX-License-Identifier: Apache-2.0
// The command line of bench/rate.
#pragma once

#include "client.h"

#include <string>

namespace pronghorn::bench {

inline constexpr const char* kUsage =
    "usage: rate port=PORT rate=N [path=/] [seconds=1] [warmup=0.1] [connections=64] [depth=1] "
    "[close] [post=BYTES] [queries=N] [body=BYTES] [\"header=NAME: VALUE\" ...]\n";

/// @returns what is wrong with it; empty: `plan` is complete
std::string parse(int argc, char** argv, Plan& plan);

}  // namespace pronghorn::bench

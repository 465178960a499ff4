// SPDX-License-Identifier: Apache-2.0
// The other end of the control socket, for `pronghorn status`: blocking, with a deadline, without a
// loop.
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/result.h>

#include <string>
#include <string_view>

namespace pronghorn::master {

/// Sends a command and returns the answer's line. @errors nobody listens there, or no answer in
/// time
Result<std::string> ask(const std::string& socket_path, std::string_view command,
                        Millis timeout = Millis(3'000));

}  // namespace pronghorn::master

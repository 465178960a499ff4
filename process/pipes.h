// SPDX-License-Identifier: Apache-2.0
// The pipes between us and a child. Made by spawn and by the synchronous forms before a start.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

#include <cstdint>

namespace pronghorn::process {

struct PipeEnds {
  UniqueFd ours;    ///< non-blocking
  UniqueFd theirs;  ///< blocking: programs expect that of their standard streams
};

/// Which way the bytes go, seen from the child: its descriptor 0, its 1 and 2, any other.
enum class PipeKind : std::uint8_t { input, output, both };

/// Both ends are close-on-exec. What we write to is a socketpair, so that no write can raise
/// SIGPIPE; what we only read is a pipe(2), so that `echo > /dev/stdout` works in the child.
/// @errors EMFILE, ENFILE, ENOMEM
Result<PipeEnds> make_pipe(PipeKind kind);

}  // namespace pronghorn::process

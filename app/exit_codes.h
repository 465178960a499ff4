// SPDX-License-Identifier: Apache-2.0
// Exit codes of every command (docs/reference/exit-codes.md). The names are sysexits(3)'s and
// systemd's.
#pragma once

namespace pronghorn::app {

enum ExitCode : int {
  kSuccess = 0,
  kFailure = 1,            ///< anything unforeseen
  kInvalidArgument = 2,    ///< command line, also a DIR that is not there
  kUnavailable = 69,       ///< status: no server answers on the control socket
  kSoftware = 70,          ///< no worker can live; internal error
  kTemporaryFailure = 75,  ///< address in use, out of descriptors or memory at start
  kNoPermission = 77,      ///< bind, open or user change denied
  kBadConfiguration = 78,  ///< configuration wrong
};

}  // namespace pronghorn::app

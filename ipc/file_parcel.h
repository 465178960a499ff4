// SPDX-License-Identifier: Apache-2.0
// Any descriptor on its way through a channel, where only sockets may travel (a Node peer ends at
// the sight of anything else): it waits in the queue of a socket, and that is sent.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

namespace pronghorn::ipc {

/// A socket in whose queue a duplicate of `fd` waits: to be sent as a Handle, and to be closed
/// then.
/// @errors no descriptors left
Result<UniqueFd> pack_file(int fd);
/// Takes out of a socket what pack_file() put in. @errors there is none
Result<UniqueFd> unpack_file(int socket);

}  // namespace pronghorn::ipc

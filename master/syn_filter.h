// SPDX-License-Identifier: Apache-2.0
// Stops new TCP connections at a listener without touching those that are under way.
#pragma once

#include <pronghorn/base/result.h>

namespace pronghorn::master {

/// Drops segments that open a connection (SYN without ACK) from now on; the client's kernel tries
/// again after a second. Handshakes under way, connections that wait to be accepted and those that
/// TCP_DEFER_ACCEPT still hides go on. Sockets accepted afterwards inherit the filter, which lets
/// everything pass that an open connection sees.
/// @errors EPERM: Linux 6.18 wants CAP_NET_ADMIN for it
Result<void> drop_new_connections(int listener);

/// What is left to do without that capability: from now on TCP_DEFER_ACCEPT hides nothing (tcp(7)),
/// so that an empty queue means that nobody is waiting. New connections keep coming.
Result<void> reveal_waiting_connections(int listener);

}  // namespace pronghorn::master

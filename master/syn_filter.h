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

/// The same without that capability: binds the listener to a network interface that does not exist
/// (SO_BINDTOIFINDEX, socket(7)), so that the kernel finds it for no new connection and answers
/// "refused". What has begun keeps the interface it began on. Cannot be taken back.
/// @errors EPERM: bound to an interface already, or Linux before 5.7
Result<void> hide_from_new_connections(int listener);

}  // namespace pronghorn::master

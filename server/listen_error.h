// SPDX-License-Identifier: Apache-2.0
// Why listening failed, in Node's words. Used by servers that open their sockets, and by workers
// for what their primary says.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>

namespace pronghorn::server {

/// "bind EADDRINUSE 127.0.0.1:80": what a primary was refused (Node: null when no host was given).
Error refused_by_primary(int errno_value, const config::ListenAddress& address);
/// "listen EADDRINUSE: address already in use 127.0.0.1:80": a socket of our own.
Error listen_error(int errno_value, const config::ListenAddress& address);
/// `eai` is getaddrinfo(3)'s.
Error resolve_error(int eai, const config::ListenAddress& address);

}  // namespace pronghorn::server

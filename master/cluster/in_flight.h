// SPDX-License-Identifier: Apache-2.0
// Whether a worker that died had begun with a connection that it had not answered for: what the
// kernel knows of the connection, of which the primary still has a descriptor. Used by HandOver.
#pragma once

#include <cstdint>
#include <optional>

namespace pronghorn::master {

/// Bytes that wait to be read.
std::uint64_t unread_bytes(int socket) noexcept;

/// True when bytes have been read from it or written to it: nobody else can serve it. TCP's
/// counters are certain. A unix socket counts nothing: of what waited in it when it was handed over
/// (`unread_before`; empty for TCP) a part must be gone, or an answer not yet read by the client.
bool has_begun(int socket, std::optional<std::uint64_t> unread_before) noexcept;

}  // namespace pronghorn::master

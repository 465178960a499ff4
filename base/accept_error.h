// SPDX-License-Identifier: Apache-2.0
// What an errno of accept(2) means for the listener. Used by whoever accepts: the server's
// Acceptor, the primary's HandOver.
#pragma once

#include <cstdint>

namespace pronghorn {

enum class AcceptError : std::uint8_t {
  empty,      ///< nobody waits (any more)
  again,      ///< that one connection's error, not the listener's (accept(2), "Error handling")
  exhausted,  ///< out of descriptors or memory, or forbidden: the connection stays queued, so rest
  broken,     ///< no longer a listener
};

AcceptError classify_accept_error(int errno_value) noexcept;

}  // namespace pronghorn

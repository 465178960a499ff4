// SPDX-License-Identifier: Apache-2.0
// Where a server listens, as cluster's 'listening' tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pronghorn {

/// Node's addressType: 4, 6, -1, "udp4", "udp6".
enum class AddressType : std::uint8_t {
  ipv4,
  ipv6,
  unix_socket,
  udp4,
  udp6,
  descriptor  ///< a descriptor of the primary's (Node: listen({fd}))
};

struct Address {
  /// Numeric, or the path of a unix socket; empty: any (Node: null).
  std::string address{};
  std::uint16_t port = 0;  ///< the real one, never 0 once it listens; 0 for a unix socket
  AddressType type = AddressType::ipv4;
  std::optional<int> fd{};  ///< of `descriptor`: its number in the primary

  bool operator==(const Address&) const = default;
};

}  // namespace pronghorn

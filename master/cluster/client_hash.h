// SPDX-License-Identifier: Apache-2.0
// A client's address as a number, for stickiness. Used by HandOver.
#pragma once

#include "master/cluster/picker.h"

#include <sys/socket.h>

namespace pronghorn::master {

/// SipHash-2-4 of the address without its port, with a key of this process: nobody can choose
/// addresses that fall together. An IPv4 address is the same as IPv6 writes it (::ffff:1.2.3.4).
/// Empty for other families.
Picker::Client client_hash(const sockaddr_storage& address) noexcept;

/// Of 16 bytes, in host order of a little-endian machine. For the known answers of its authors.
std::uint64_t sip_hash(std::uint64_t key0, std::uint64_t key1, std::uint64_t word0,
                       std::uint64_t word1) noexcept;

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// SHA-1 (RFC 3174) and base64 (RFC 4648 §4), for the one place that needs them: WebSocket's
// Sec-WebSocket-Accept, which proves that a server understood the handshake and keeps no secret. A
// library of cryptography would be loaded into every worker for it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pronghorn::server {

std::array<std::uint8_t, 20> sha1(std::string_view text);
std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// Status codes and what is said about them.
#pragma once

#include <string_view>

namespace pronghorn::server {

/// "Not Found"; empty for a code that no RFC names.
std::string_view reason_phrase(int status) noexcept;
/// One sentence that helps a visitor; empty where the phrase says it all.
std::string_view status_advice(int status) noexcept;

/// RFC 9110 §6.4.1: never a body, never a Content-Length (15.3.5, 15.4.5; 304 has none to tell).
constexpr bool is_bodiless(int status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// The request target taken apart (RFC 9112 §3.2).
#pragma once

#include "server/method.h"

#include <string>
#include <string_view>

namespace pronghorn::server {

/// Views into the target as sent; an absolute-form without a path has the path "/".
struct Target {
  std::string_view path, query;
  std::string_view authority;  ///< of an absolute-form; else empty
};

/// @returns 0, or the status that refuses it: 400; 421 for https, which this connection is not.
int parse_target(std::string_view text, Method method, Target& target) noexcept;

/// uri-host [ ":" port ] (RFC 9110 §7.2), not empty.
bool is_valid_host(std::string_view host) noexcept;

/// Appends `text` with its %XX decoded; `text` has passed parse_target().
void percent_decode(std::string_view text, std::string& decoded);

}  // namespace pronghorn::server

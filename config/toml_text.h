// SPDX-License-Identifier: Apache-2.0
// Text in the way TOML writes it.
#pragma once

#include <string>
#include <string_view>

namespace pronghorn::config {

/// A basic string: quotes, backslashes and control characters escaped. Nothing else is changed.
std::string toml_quoted(std::string_view text);

/// TOML files are UTF-8, so a value that is not cannot be carried by one (RFC 3629).
bool is_utf8(std::string_view text);

}  // namespace pronghorn::config

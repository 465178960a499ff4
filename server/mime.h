// SPDX-License-Identifier: Apache-2.0
// Content types by file name. The table is made from Debian's media-types when building.
#pragma once

#include <string_view>

namespace pronghorn::server {

/// Content type of a name by what follows its last dot, any case: "a/index.HTML" is
/// "text/html; charset=utf-8". "application/octet-stream" for an unknown extension or none:
/// contents are never looked at (the answers say nosniff as well).
std::string_view content_type_of(std::string_view name) noexcept;

}  // namespace pronghorn::server

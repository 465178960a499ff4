// SPDX-License-Identifier: Apache-2.0
// What the texts of a site's rules must look like. Pure; each says what is wrong, or nothing.
#pragma once

#include "config/complaint.h"

#include <string>
#include <string_view>

namespace pronghorn::config {

/// An element of `match` (site.h).
Checked<void> check_match(std::string_view text);
/// A field's name that a rule may change.
Checked<void> check_field_name(std::string_view name);
Checked<void> check_field_value(std::string_view value);
/// A file of the root that can be served: "404.html", "app/index.html".
Checked<void> check_site_file(std::string_view path);
Checked<void> check_redirect_from(std::string_view from);
Checked<void> check_redirect_to(std::string_view to, std::string_view from);
/// Of a type list: "text/*".
Checked<void> check_media_type(std::string_view text);
/// @returns the name as it is compared: lower case, without the dot at its end
Checked<std::string> host_name(std::string_view text);

}  // namespace pronghorn::config

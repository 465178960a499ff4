// SPDX-License-Identifier: Apache-2.0
// A file name that somebody sent, made harmless.
#pragma once

#include <string>
#include <string_view>

namespace pronghorn {

/// The last component of `sent` ('/' and '\' part them) as a name that is safe to create in a
/// folder: UTF-8 of 1 to 255 bytes, no control byte, no leading '.' or '-', never "." or "..".
/// Replaced bytes become '_'; what leaves nothing is "file".
std::string safe_file_name(std::string_view sent);

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// %XX in forms and in parameters. Paths have rules of their own (path.h).
#pragma once

#include "server/syntax.h"

#include <string>
#include <string_view>

namespace pronghorn::server {

/// Appends `text` with each %XX as its byte and, where `plus_is_space`, each '+' as a space.
/// @returns false at a '%' that two hexadecimal digits do not follow
inline bool append_percent_decoded(std::string& out, std::string_view text, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) {
      c = ' ';
    } else if (c == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    out.push_back(c);
  }
  return true;
}

}  // namespace pronghorn::server

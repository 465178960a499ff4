// SPDX-License-Identifier: Apache-2.0
// Text that may be any bytes, for pages and JSON. Used by listings and by the pages of redirects.
#pragma once

#include "base/utf8.h"

#include <string>
#include <string_view>

namespace pronghorn::server {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// The text as UTF-8, each character or what stands for a broken one given to
/// `put`.
template <class Put>
void for_each_character(std::string_view text, Put put) {
  const char* end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    auto piece = utf8_piece(at, end);
    put(piece.is_whole ? std::string_view(at, piece.length) : kReplacement);
    at += piece.length;
  }
}

/// Appends it as UTF-8 that is text in HTML, and in the value of an attribute in quotes.
void append_html(std::string& out, std::string_view text);

}  // namespace pronghorn::server

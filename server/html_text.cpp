// SPDX-License-Identifier: Apache-2.0
#include "server/html_text.h"

namespace pronghorn::server {

void append_html(std::string& out, std::string_view text) {
  for_each_character(text, [&](std::string_view character) {
    switch (character.front()) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += character;
    }
  });
}

}  // namespace pronghorn::server

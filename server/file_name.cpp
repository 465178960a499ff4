// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/file_name.h>

#include "base/utf8.h"

namespace pronghorn {
namespace {

constexpr std::size_t kNameMax = 255;  // of Linux' file systems

}  // namespace

std::string safe_file_name(std::string_view sent) {
  if (auto slash = sent.find_last_of("/\\"); slash != std::string_view::npos) {
    sent.remove_prefix(slash + 1);
  }
  std::string name;
  const char* end = sent.data() + sent.size();
  for (const char* at = sent.data(); at != end;) {
    const Utf8Piece piece = utf8_piece(at, end);
    const auto lead = static_cast<unsigned char>(*at);
    // U+0080 to U+009F are control characters as well.
    const bool is_control =
        lead < 0x20 || lead == 0x7f ||
        (lead == 0xc2 && piece.is_whole && static_cast<unsigned char>(at[1]) < 0xa0);
    // A name that hides itself, or that a command would take for an option.
    const bool is_first = name.empty() && (*at == '.' || *at == '-');
    const std::size_t length = !piece.is_whole || is_control || is_first ? 1 : piece.length;
    if (name.size() + length > kNameMax) break;
    if (length == 1 && (!piece.is_whole || is_control || is_first)) {
      name.push_back('_');
    } else {
      name.append(at, length);
    }
    at += piece.length;
  }
  return name.empty() ? "file" : name;
}

}  // namespace pronghorn

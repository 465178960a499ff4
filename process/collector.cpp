// SPDX-License-Identifier: Apache-2.0
#include "process/collector.h"

#include "base/utf8.h"

#include <utility>

namespace pronghorn::process {
bool Collector::add(std::string_view bytes) {
  std::size_t space = limit_ - kept_.size();
  if (bytes.size() > space) is_cut_ = true;
  kept_.append(bytes.substr(0, space));
  return !is_cut_;
}

std::string Collector::take(Encoding encoding) {
  std::string kept = std::exchange(kept_, {});
  return encoding == Encoding::utf8 ? replace_invalid_utf8(kept, is_cut_) : kept;
}

std::string replace_invalid_utf8(std::string_view bytes, bool cut) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Piece piece = utf8_piece(bytes.data(), bytes.data() + bytes.size());
    if (piece.is_whole) {
      out.append(bytes.substr(0, piece.length));
    } else if (!cut || !piece.is_cut) {
      out.append("\xEF\xBF\xBD");
    }
    bytes.remove_prefix(piece.length);
  }
  return out;
}

}  // namespace pronghorn::process

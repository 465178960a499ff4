// SPDX-License-Identifier: Apache-2.0
#include "process/collector.h"

#include <utility>

namespace pronghorn::process {
namespace {

// What may follow a first byte (Unicode 15, table 3-7): how many bytes, and the range of the first
// of them; the others are 80..BF.
struct Follow {
  std::size_t count = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

// A count of 0 for a byte that begins no character of several bytes.
Follow follow_of(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return {.count = 1};
  if (first == 0xE0) return {.count = 2, .low = 0xA0};
  if (first == 0xED) return {.count = 2, .high = 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return {.count = 2};
  if (first == 0xF0) return {.count = 3, .low = 0x90};
  if (first >= 0xF1 && first <= 0xF3) return {.count = 3};
  if (first == 0xF4) return {.count = 3, .high = 0x8F};
  return {};
}

// How many bytes after the first are as they must be, `wanted` at most.
std::size_t count_following(std::string_view rest, const Follow& wanted) {
  std::size_t n = 0;
  for (; n < wanted.count && n < rest.size(); ++n) {
    auto byte = static_cast<unsigned char>(rest[n]);
    if (byte < (n == 0 ? wanted.low : 0x80) || byte > (n == 0 ? wanted.high : 0xBF)) break;
  }
  return n;
}

}  // namespace

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
    auto first = static_cast<unsigned char>(bytes.front());
    Follow wanted = follow_of(first);
    std::size_t length = 1 + count_following(bytes.substr(1), wanted);
    bool is_character = first < 0x80 || (wanted.count > 0 && length == wanted.count + 1);
    if (is_character) {
      out.append(bytes.substr(0, length));
    } else if (!cut || wanted.count == 0 || length < bytes.size()) {
      out.append("\xEF\xBF\xBD");
    }
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace pronghorn::process

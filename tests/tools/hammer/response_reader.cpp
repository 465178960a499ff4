// SPDX-License-Identifier: Apache-2.0
#include "response_reader.h"

#include <algorithm>
#include <charconv>
#include <strings.h>

namespace hammer {
namespace {

constexpr std::size_t kMaxHead = 64 * 1024;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

bool ResponseReader::parse_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) return false;
  const char* digits = head.data() + 9;
  if (std::from_chars(digits, digits + 3, status_).ptr != digits + 3) return false;
  bool has_length = false;
  says_close_ = false;
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end - at);
    at = end + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) break;  // the empty line
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (equal_ignoring_case(line.substr(0, colon), "content-length")) {
      has_length =
          std::from_chars(value.data(), value.data() + value.size(), body_left_).ec == std::errc{};
    } else if (equal_ignoring_case(line.substr(0, colon), "connection")) {
      says_close_ = equal_ignoring_case(value, "close");
    }
  }
  return has_length;
}

ResponseReader::State ResponseReader::read(std::string_view& bytes) {
  if (!in_body_) {
    const std::size_t before = head_.size();
    head_.append(bytes);
    // The end may lie across two pieces.
    const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
      bytes = {};
      return head_.size() > kMaxHead ? State::malformed : State::more;
    }
    bytes.remove_prefix(end + 4 - before);
    if (!parse_head(std::string_view(head_).substr(0, end + 4))) return State::malformed;
    in_body_ = true;
  }
  const auto taken = std::min<std::uint64_t>(body_left_, bytes.size());
  bytes.remove_prefix(taken);
  body_left_ -= taken;
  if (body_left_ > 0) return State::more;
  in_body_ = false;
  head_.clear();
  return State::complete;
}

}  // namespace hammer

// SPDX-License-Identifier: Apache-2.0
#include "ipc/frame_reader.h"

namespace pronghorn::ipc {
namespace {
// What an idle channel may keep; a larger buffer is given back once its line was taken.
constexpr std::size_t kKeptBytes = 128 * 1024;
}  // namespace

void FrameReader::feed(std::string_view bytes) {
  if (start_ == buffer_.size()) {
    if (buffer_.capacity() > kKeptBytes) buffer_ = std::string();
    buffer_.clear();
  } else if (start_ > 0) {
    buffer_.erase(0, start_);  // at most once per line: afterwards the line begins at 0
  }
  scanned_ -= start_;
  start_ = 0;
  buffer_.append(bytes);
}

std::optional<std::string_view> FrameReader::next() {
  if (too_long_) return std::nullopt;
  std::size_t end = buffer_.find('\n', scanned_);
  std::size_t length = (end == std::string::npos ? buffer_.size() : end) - start_;
  if (length > max_line_) {
    too_long_ = true;
    return std::nullopt;
  }
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  std::string_view line(buffer_.data() + start_, length);
  start_ = scanned_ = end + 1;
  return line;
}

}  // namespace pronghorn::ipc

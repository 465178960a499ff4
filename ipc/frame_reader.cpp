// SPDX-License-Identifier: Apache-2.0
#include "ipc/frame_reader.h"

#include <utility>

namespace pronghorn::ipc {
namespace {
// What an idle channel may keep; a larger buffer is given back once its line was taken.
constexpr std::size_t kKeptBytes = 128 * 1024;
}  // namespace

void FrameReader::forget_taken() {
  if (!std::exchange(taken_, false)) return;
  if (partial_.capacity() > kKeptBytes) partial_ = std::string();
  partial_.clear();
}

bool FrameReader::fits(std::size_t more) {
  too_long_ = partial_.size() + more > max_line_;
  return !too_long_;
}

std::optional<std::string_view> FrameReader::next() {
  forget_taken();
  if (too_long_) return std::nullopt;
  std::size_t end = rest_.find('\n');
  std::string_view piece = rest_.substr(0, end);
  if (!fits(piece.size())) return std::nullopt;
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (end != std::string_view::npos && partial_.empty()) return piece;
  partial_.append(piece);
  copied_ += piece.size();
  if (end == std::string_view::npos) {
    if (std::exchange(owns_rest_, false)) kept_ = std::string();
    return std::nullopt;
  }
  taken_ = true;
  return partial_;
}

void FrameReader::keep() {
  if (std::exchange(owns_rest_, true)) return;
  kept_ = std::string(rest_);
  copied_ += kept_.size();
  rest_ = kept_;
}

}  // namespace pronghorn::ipc

// SPDX-License-Identifier: Apache-2.0
// Bytes in, lines out: the framing of Node's channel. Pure; driven by Channel.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

/// Looks at every byte once, however it is cut: a long line that arrives in many pieces costs O(n).
class FrameReader {
 public:
  /// `max_line`: bytes of a line without its line feed.
  explicit FrameReader(std::size_t max_line) : max_line_(max_line) {}

  /// Adds what was read. Every line must have been taken with next() before.
  void feed(std::string_view bytes);
  /// The next complete line, without its line feed; the view holds until feed(). Empty: feed more,
  /// or is_too_long().
  std::optional<std::string_view> next();

  bool is_too_long() const noexcept { return too_long_; }
  /// Whether the beginning of a line is waiting for its end.
  bool has_partial() const noexcept { return start_ < buffer_.size(); }

 private:
  std::size_t max_line_;
  std::string buffer_;
  std::size_t start_ = 0;    // where the current line begins
  std::size_t scanned_ = 0;  // no line feed between start_ and here
  bool too_long_ = false;
};

}  // namespace pronghorn::ipc

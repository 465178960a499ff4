// SPDX-License-Identifier: Apache-2.0
// Bytes in, lines out: the framing of Node's channel. Pure; driven by Channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

/// Looks at every byte once, however it is cut, and copies only the lines that span two feeds: a
/// long line that arrives in many pieces costs O(n), and short ones cost no copy.
class FrameReader {
 public:
  /// `max_line`: bytes of a line without its line feed.
  explicit FrameReader(std::size_t max_line) : max_line_(max_line) {}

  /// What was read; it must stay until next() returned nothing, or keep() was called. Every line
  /// must have been taken with next() before.
  void feed(std::string_view bytes) {
    rest_ = bytes;
    owns_rest_ = false;
  }
  /// The next complete line, without its line feed; the view holds until the next call. Empty: feed
  /// more, or is_too_long().
  std::optional<std::string_view> next();
  /// Copies the lines that are not yet taken, unless that was done before: what was fed may go.
  void keep();

  bool is_too_long() const noexcept { return too_long_; }
  /// Whether the beginning of a line is waiting for its end.
  bool has_partial() const noexcept { return !partial_.empty() && !taken_; }
  /// Bytes that were copied so far, to show what it costs.
  std::uint64_t copied() const noexcept { return copied_; }

 private:
  void forget_taken();
  bool fits(std::size_t more);

  std::size_t max_line_;
  std::string partial_;    // the beginning of the line that rest_ goes on with
  bool taken_ = false;     // partial_ is a whole line, and was given away
  std::string_view rest_;  // fed and not yet looked at
  std::string kept_;       // what rest_ views after keep()
  bool owns_rest_ = false;
  bool too_long_ = false;
  std::uint64_t copied_ = 0;
};

}  // namespace pronghorn::ipc

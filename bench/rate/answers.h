// SPDX-License-Identifier: Apache-2.0
// Where answers end in what a server sends: heads with Content-Length, several in a row, cut
// anywhere. Used by the client of bench/rate, which needs no more of HTTP.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::bench {

class Answers {
 public:
  /// `body` is the length that each one's body must have.
  explicit Answers(std::optional<std::uint64_t> body = {}) : wanted_(body) {}

  /// @returns how many ended in `bytes`
  std::size_t feed(std::string_view bytes) {
    std::size_t ended = 0;
    while (!bytes.empty() && !is_bad_) {
      if (body_left_ > 0) {
        const auto part =
            static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size()));
        bytes.remove_prefix(part);
        body_left_ -= part;
        if (body_left_ == 0) ++ended;
        continue;
      }
      if (head_.empty()) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) {
          head_ = bytes;
          break;
        }
        begin_body(bytes.substr(0, end + 2));
        bytes.remove_prefix(end + 4);
      } else {  // one that came in pieces
        const std::size_t had = head_.size();
        head_ += bytes;
        const std::size_t end = head_.find("\r\n\r\n", had < 3 ? 0 : had - 3);
        if (end == std::string::npos) {
          is_bad_ = head_.size() > kMostHead;
          break;
        }
        begin_body(std::string_view(head_).substr(0, end + 2));
        bytes.remove_prefix(end + 4 - had);
        head_.clear();
      }
      if (body_left_ == 0 && !is_bad_) ++ended;
    }
    return ended;
  }

  /// Something was no answer with status 200 and the length of body that it must have: nothing
  /// more is understood.
  bool is_bad() const noexcept { return is_bad_; }
  /// The last head said Connection: close.
  bool closes() const noexcept { return closes_; }

 private:
  static constexpr std::size_t kMostHead = 16384;

  void begin_body(std::string_view head) {
    is_bad_ = !head.starts_with("HTTP/1.1 200 ");
    closes_ = false;
    bool has_length = false;
    for (std::size_t at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
      const std::string_view field = head.substr(at + 2);
      if (is_named(field, "content-length:")) {
        std::size_t i = 15;
        while (i < field.size() && field[i] == ' ') ++i;
        for (; i < field.size() && field[i] >= '0' && field[i] <= '9'; ++i) {
          body_left_ = body_left_ * 10 + static_cast<std::uint64_t>(field[i] - '0');
        }
        has_length = true;
      } else if (is_named(field, "connection: close")) {
        closes_ = true;
      }
    }
    is_bad_ = is_bad_ || !has_length || (wanted_ && body_left_ != *wanted_);
  }

  static bool is_named(std::string_view field, std::string_view name) noexcept {
    if (field.size() < name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = field[i];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != name[i]) return false;
    }
    return true;
  }

  std::optional<std::uint64_t> wanted_;
  std::string head_;  // the beginning of one
  std::uint64_t body_left_ = 0;
  bool is_bad_ = false;
  bool closes_ = false;
};

}  // namespace pronghorn::bench

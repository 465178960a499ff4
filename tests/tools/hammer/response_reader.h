// SPDX-License-Identifier: Apache-2.0
// Reads answers with a Content-Length, one after the other, from pieces of any size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hammer {

class ResponseReader {
 public:
  enum class State : std::uint8_t { more, complete, malformed };

  /// Takes what belongs to the current answer off the front of `bytes`. After `complete`, status()
  /// and says_close() are that answer's, and the next call begins the next one.
  State read(std::string_view& bytes);
  /// Something of the current answer has come.
  bool is_inside() const { return !head_.empty() || in_body_; }
  int status() const { return status_; }
  bool says_close() const { return says_close_; }

 private:
  bool parse_head(std::string_view head);
  std::string head_;
  std::uint64_t body_left_ = 0;
  bool in_body_ = false, says_close_ = false;
  int status_ = 0;
};

}  // namespace hammer

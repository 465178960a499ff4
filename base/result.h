// SPDX-License-Identifier: Apache-2.0
// Errors that can be expected (a peer, the file system, a user's file) as values.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <system_error>

namespace pronghorn {

/// Why something expected to fail sometimes did. Text is lower case, one line, without a final
/// stop.
class Error {
 public:
  Error(std::error_code code, std::string text) : code_(code), text_(std::move(text)) {}
  /// An error with no system cause, such as wrong input.
  explicit Error(std::string text) : text_(std::move(text)) {}

  /// "WHAT: no such file or directory" from an errno value (man 3 errno), such as ENOENT.
  static Error system(int errno_value, std::string_view what);

  const std::error_code& code() const noexcept { return code_; }
  /// The errno value, or 0 when the error has none.
  int errno_value() const noexcept;
  const std::string& message() const noexcept { return text_; }

 private:
  std::error_code code_;
  std::string text_;
};

template <class T>
using Result = std::expected<T, Error>;

/// Lower-case text of an errno value: "no such file or directory".
std::string errno_text(int errno_value);

}  // namespace pronghorn

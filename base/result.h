// SPDX-License-Identifier: Apache-2.0
// Errors that can be expected (a peer, the file system, a user's file) as values.
#pragma once

#include <pronghorn/base/error_code.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace pronghorn {

/// What failed in a system call, in the words of Node's SystemError.
struct FailedCall {
  std::string syscall{};  ///< "spawn ls", "bind"
  std::string path{};     ///< the file that was started, or the address
  std::vector<std::string>
      spawnargs{};  ///< the arguments after argv[0], where a process was started
};

/// Why something expected to fail sometimes did. Text is lower case, one line, without a final
/// stop.
class Error {
 public:
  Error(std::error_code code, std::string text) : code_(code), text_(std::move(text)) {}
  /// An error with no system cause, such as wrong input.
  explicit Error(std::string text) : text_(std::move(text)) {}
  Error(Errc code, std::string text) : code_(make_error_code(code)), text_(std::move(text)) {}

  /// "WHAT: no such file or directory" from an errno value (man 3 errno), such as ENOENT.
  static Error system(int errno_value, std::string_view what);

  const std::error_code& code() const noexcept { return code_; }
  /// The errno value, or 0 when the error has none.
  int errno_value() const noexcept;
  const std::string& message() const noexcept { return text_; }
  /// Node's `error.code`: "ENOENT", "ERR_IPC_CHANNEL_CLOSED"; "" when it has none.
  std::string name() const { return error_name(code_); }

  /// The same error, with what was called.
  Error with_call(FailedCall call) &&;
  /// Null when no system call is known.
  const FailedCall* call() const noexcept { return call_.get(); }

 private:
  std::error_code code_;
  std::string text_;
  std::shared_ptr<const FailedCall> call_;  // shared: errors are copied, and few have one
};

}  // namespace pronghorn

/// What value() of a Result throws when there is none: it says what failed, also where nobody
/// catches it.
template <>
class std::bad_expected_access<pronghorn::Error> : public std::bad_expected_access<void> {
 public:
  explicit bad_expected_access(pronghorn::Error error) : error_(std::move(error)) {}
  const char* what() const noexcept override { return error_.message().c_str(); }
  pronghorn::Error& error() & noexcept { return error_; }
  const pronghorn::Error& error() const& noexcept { return error_; }
  pronghorn::Error&& error() && noexcept { return std::move(error_); }
  const pronghorn::Error&& error() const&& noexcept { return std::move(error_); }

 private:
  pronghorn::Error error_;
};

namespace pronghorn {

template <class T>
using Result = std::expected<T, Error>;

/// Lower-case text of an errno value: "no such file or directory".
std::string errno_text(int errno_value);

}  // namespace pronghorn

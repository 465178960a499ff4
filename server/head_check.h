// SPDX-License-Identifier: Apache-2.0
// The strict look at a request head, line by line, before llhttp sees it: limits, line ends and the
// request line. llhttp 8.1 in strict mode still takes bare LF, folded lines, doubled spaces,
// HTTP/2.0, RTSP and more (tests/unit/server/llhttp_test.cpp shows what); nothing of that passes
// here.
#pragma once

#include <pronghorn/config/config.h>

#include "server/method.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pronghorn::server {

class HeadCheck {
 public:
  enum class Verdict : std::uint8_t { more, complete, refused };

  void reset() noexcept { *this = HeadCheck{}; }
  /// `head` is everything from the request line's first byte up to now; what earlier calls saw is
  /// not looked at again, so it may have moved. The verdict is the same however the bytes were cut.
  Verdict scan(std::string_view head, const config::Limits& limits) noexcept;

  /// As after scan() of such a head, which was read elsewhere (plain_head.h) and is complete.
  void set_plain(Method method, std::size_t target_size, std::size_t size) noexcept {
    searched_ = size;
    target_size_ = static_cast<std::uint32_t>(target_size);
    method_ = method;
    says_head_ = method == HTTP_HEAD;
    method_size_ = says_head_ ? 4 : 3;
  }

  /// Of a refused head: the status, and whether the request line said HEAD (the answer has no
  /// body).
  int status() const noexcept { return status_; }
  bool is_head_request() const noexcept { return says_head_; }

  /// The request line has not ended yet.
  bool in_request_line() const noexcept { return line_ == 0; }

  /// Of a complete head: bytes including the empty line, and the request line's parts.
  std::size_t size() const noexcept { return searched_; }
  /// Also set when refused, once the request line has been taken apart; else empty.
  std::string_view method_text(std::string_view head) const noexcept {
    return {head.data(), std::min<std::size_t>(method_size_, head.size())};
  }
  std::string_view target(std::string_view head) const noexcept {
    return target_size_ ? head.substr(method_size_ + 1u, target_size_) : std::string_view{};
  }
  std::string_view protocol(std::string_view head) const noexcept {
    constexpr std::size_t kSize = 8;  // "HTTP/1.1"
    return target_size_ ? head.substr(method_size_ + target_size_ + 2u, kSize) : std::string_view{};
  }
  Method method() const noexcept { return method_; }
  int minor_version() const noexcept { return minor_; }  ///< of HTTP/1.x
  /// The head is fine, but llhttp would refuse it or misread it as it stands: use rewritten().
  bool needs_rewrite() const noexcept { return rewrite_; }
  /// The same head with version 1.1 instead of 1.2 to 1.9 and without white space at the ends of
  /// values: llhttp 8.1 refuses such versions and a tab after a Content-Length or "chunked". The
  /// request line keeps its length.
  std::string rewritten(std::string_view head) const;

 private:
  Verdict refuse(std::string_view head, int status) noexcept;
  int request_line(std::string_view line, const config::Limits& limits) noexcept;
  int field_line(std::string_view line, const config::Limits& limits) noexcept;
  std::uint64_t line_limit(const config::Limits& limits) const noexcept;
  int limit_status() const noexcept { return line_ == 0 ? 414 : 431; }

  std::size_t line_ = 0;      // where the current line begins
  std::size_t searched_ = 0;  // up to here there is no unseen LF
  std::uint32_t fields_ = 0;
  std::uint32_t target_size_ = 0;
  std::uint16_t method_size_ = 0;
  std::int16_t status_ = 0;
  Method method_ = HTTP_GET;
  std::uint8_t minor_ = 1;
  bool rewrite_ = false;
  bool says_head_ = false;
};

}  // namespace pronghorn::server

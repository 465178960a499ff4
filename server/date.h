// SPDX-License-Identifier: Apache-2.0
// IMF-fixdate (RFC 9110 §5.6.7): the cached Date field, and dates of files.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::server {

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string format_http_date(std::time_t time);
/// IMF-fixdate, RFC 850 and asctime forms; empty for anything else.
std::optional<std::time_t> parse_http_date(std::string_view text);

/// The text of now, made once a second.
class DateCache {
 public:
  DateCache() { refresh(std::time(nullptr)); }
  void refresh(std::time_t now);
  std::string_view text() const noexcept { return {text_, 29}; }

 private:
  char text_[30] = {};
  std::time_t second_ = -1;
};

}  // namespace pronghorn::server

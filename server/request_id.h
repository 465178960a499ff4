// SPDX-License-Identifier: Apache-2.0
// What a request is called on error pages, in the access log and by handlers. Made when somebody
// asks, so that a request of which nobody does costs nothing. Part of Exchange.
#pragma once

#include <pronghorn/server/request.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pronghorn::server {

class RequestId {
 public:
  /// Of our own: letters and digits without i, l, o and u, which people mistake: 80 bits.
  static constexpr std::size_t kSize = 16;
  /// Of a client's (request_id.trust), whose UUIDs and traceparents have less.
  static constexpr std::size_t kMost = 64;
  static constexpr std::string_view kField = "X-Request-Id";

  /// `trusts`: the client's own is taken, where it has a usable one.
  explicit RequestId(bool trusts) noexcept : trusts_(trusts) {}
  /// The next request begins.
  void clear() noexcept { size_ = 0; }
  /// The same whoever asks, until clear(). `fields` are the request's, as far as they were read.
  std::string_view get(std::span<const Field> fields) noexcept;

 private:
  std::uint32_t size_ = 0;  // 0: nobody has asked
  bool trusts_;
  std::array<char, kMost> text_;
};

/// Whether a client's id is taken: 1 to kMost letters, digits and "-._~+/=:@,", so that neither a
/// page, nor a line of the log, nor whoever reads them can be led astray by it.
bool is_usable_id(std::string_view text) noexcept;

}  // namespace pronghorn::server

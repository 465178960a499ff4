// SPDX-License-Identifier: Apache-2.0
// The methods that the parser knows. Others are answered 501 (RFC 9110 §9.1).
#pragma once

#include <llhttp.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace pronghorn::server {

using Method = llhttp_method_t;  // HTTP_GET …; all below 64

/// Case-sensitive; -1 when unknown.
int find_method(std::string_view token) noexcept;
std::string_view method_text(Method method) noexcept;

/// A set of methods, one bit each.
class MethodSet {
 public:
  constexpr MethodSet() = default;
  constexpr bool has(Method method) const noexcept { return (bits_ >> method) & 1; }
  constexpr void add(Method method) noexcept { bits_ |= std::uint64_t{1} << method; }
  constexpr void add(MethodSet other) noexcept { bits_ |= other.bits_; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  /// "GET, HEAD, OPTIONS": the value of Allow.
  std::string text() const;
  /// What a route for any method says in Allow.
  static MethodSet common() noexcept;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace pronghorn::server

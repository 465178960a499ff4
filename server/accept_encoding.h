// SPDX-License-Identifier: Apache-2.0
// Which content coding a client gets (RFC 9110 §12.5.3). Pure; used by Files for precompressed
// variants, and wherever an answer is compressed.
#pragma once

#include <pronghorn/server/request.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pronghorn::server {

/// In the order in which they are preferred where the client has no preference, the last one first.
enum class Encoding : std::uint8_t { identity, gzip, br, zstd };
inline constexpr std::size_t kEncodings = 4;

/// "gzip", as Content-Encoding has it; "identity" never stands there.
std::string_view encoding_name(Encoding encoding) noexcept;
/// ".gz", what the name of a variant ends in; empty for identity.
std::string_view encoding_suffix(Encoding encoding) noexcept;

class EncodingSet {
 public:
  constexpr EncodingSet() = default;
  constexpr void add(Encoding encoding) noexcept { bits_ |= bit(encoding); }
  constexpr bool has(Encoding encoding) const noexcept { return (bits_ & bit(encoding)) != 0; }

 private:
  static constexpr std::uint8_t bit(Encoding encoding) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(encoding));
  }
  std::uint8_t bits_ = bit(Encoding::identity);
};

constexpr EncodingSet all_encodings() noexcept {
  EncodingSet set;
  for (Encoding encoding : {Encoding::gzip, Encoding::br, Encoding::zstd}) set.add(encoding);
  return set;
}

/// Of what is `offered`, identity always among it, what the request's Accept-Encoding likes best:
/// the highest q; of equals zstd, then br, then gzip, then identity. Several lines are one list;
/// x-gzip is gzip; elements that are not well-formed do not count; of a coding that is named twice
/// the lower q counts. Without the field, identity. Nothing: the client refuses all of it, identity
/// too.
std::optional<Encoding> choose_encoding(std::span<const Field> headers,
                                        EncodingSet offered) noexcept;

}  // namespace pronghorn::server

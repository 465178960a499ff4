// SPDX-License-Identifier: Apache-2.0
// Byte ranges (RFC 9110 §14): what a Range field asks for of some length, and the texts of the
// answer. Pure; used by Files.
#pragma once

#include <pronghorn/server/request.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::server {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;  ///< at least 1
  bool operator==(const ByteRange&) const = default;
};

enum class RangeVerdict : std::uint8_t {
  whole,          ///< 200: no range, one of another unit, or more than it is worth
  partial,        ///< 206
  unsatisfiable,  ///< 416: nothing of it exists, or the set is malformed (§15.5.17)
};

/// Evaluates the request's Range for `size` bytes; `ranges` gets what is there of it, in the order
/// asked for. Ignored, as a server may (§14.2): more than `at_most` ranges, ranges that overlap or
/// ask for more bytes than there are, and a Range in more than one line. A position of any number
/// of digits is a position.
RangeVerdict evaluate_range(std::span<const Field> headers, std::uint64_t size, std::size_t at_most,
                            std::vector<ByteRange>& ranges);

/// "bytes 0-9/100"
std::string content_range(const ByteRange& range, std::uint64_t size);
/// "bytes */100"
std::string unsatisfied_range(std::uint64_t size);

/// What stands before a part of a multipart/byteranges body (§14.6), and after the last one.
std::string part_head(std::string_view boundary, std::string_view type, const ByteRange& range,
                      std::uint64_t size, bool is_first);
std::string part_end(std::string_view boundary);
/// The type in a part_head(); empty where it has none.
std::string_view part_type(std::string_view head) noexcept;

/// 128 random bits as text: no file contains them by chance, and nobody can put them into one.
std::string make_boundary();

}  // namespace pronghorn::server

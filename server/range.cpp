// SPDX-License-Identifier: Apache-2.0
#include "server/range.h"

#include "server/syntax.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <stdlib.h>

namespace pronghorn::server {
namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

/// Digits alone; what is beyond 64 bits is beyond every file as well.
std::optional<std::uint64_t> parse_position(std::string_view digits) noexcept {
  if (digits.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    number = number > (kHuge - digit) / 10 ? kHuge : number * 10 + digit;
  }
  return number;
}

/// int-range or suffix-range (§14.1.1), clamped; a length of 0: not satisfiable. Nothing:
/// malformed.
std::optional<ByteRange> parse_spec(std::string_view spec, std::uint64_t size) noexcept {
  auto dash = spec.find('-');
  if (dash == spec.npos) return std::nullopt;
  if (dash == 0) {
    auto suffix = parse_position(spec.substr(1));
    if (!suffix) return std::nullopt;
    std::uint64_t length = std::min(*suffix, size);
    return ByteRange{size - length, length};
  }
  auto first = parse_position(spec.substr(0, dash));
  std::string_view end = spec.substr(dash + 1);
  auto last = end.empty() ? kHuge : parse_position(end);
  if (!first || !last || *last < *first) return std::nullopt;
  if (*first >= size) return ByteRange{};
  return ByteRange{*first, std::min(*last, size - 1) - *first + 1};
}

/// A few ranges at most: asked for one by one, a list of them could be longer than the file.
bool is_worth_it(const std::vector<ByteRange>& ranges, std::uint64_t size) noexcept {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto& [first, length] = ranges[i];
    if (length > size - total) return false;
    total += length;
    for (std::size_t j = 0; j < i; ++j) {
      if (first < ranges[j].first + ranges[j].length && ranges[j].first < first + length) {
        return false;
      }
    }
  }
  return true;
}

RangeVerdict evaluate_set(std::string_view set, std::uint64_t size, std::size_t at_most,
                          std::vector<ByteRange>& ranges) {
  std::size_t specs = 0;
  while (!set.empty()) {
    std::string_view element = next_element(set);
    if (element.empty()) continue;  // §5.6.1.2: empty elements do not count
    if (++specs > at_most) return RangeVerdict::whole;
    auto range = parse_spec(element, size);
    if (!range) return RangeVerdict::unsatisfiable;
    if (range->length > 0) ranges.push_back(*range);
  }
  if (ranges.empty()) return RangeVerdict::unsatisfiable;
  return is_worth_it(ranges, size) ? RangeVerdict::partial : RangeVerdict::whole;
}

}  // namespace

RangeVerdict evaluate_range(std::span<const Field> headers, std::uint64_t size, std::size_t at_most,
                            std::vector<ByteRange>& ranges) {
  ranges.clear();
  const Field* found = nullptr;
  for (const Field& field : headers) {
    if (!is_field(field.name, "range")) continue;
    if (found != nullptr) return RangeVerdict::whole;
    found = &field;
  }
  if (found == nullptr) return RangeVerdict::whole;
  auto equals = found->value.find('=');
  if (equals == found->value.npos || !iequals(found->value.substr(0, equals), "bytes")) {
    return RangeVerdict::whole;
  }
  auto verdict = evaluate_set(found->value.substr(equals + 1), size, at_most, ranges);
  if (verdict != RangeVerdict::partial) ranges.clear();
  return verdict;
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + '-' +
         std::to_string(range.first + range.length - 1) + '/' + std::to_string(size);
}

std::string unsatisfied_range(std::uint64_t size) { return "bytes */" + std::to_string(size); }

std::string part_head(std::string_view boundary, std::string_view type, const ByteRange& range,
                      std::uint64_t size, bool is_first) {
  std::string head(is_first ? "--" : "\r\n--");
  head.append(boundary);
  if (!type.empty()) head.append("\r\nContent-Type: ").append(type);
  return head.append("\r\nContent-Range: ").append(content_range(range, size)).append("\r\n\r\n");
}

std::string_view part_type(std::string_view head) noexcept {
  constexpr std::string_view kName = "\r\nContent-Type: ";
  auto at = head.find(kName);
  auto end = head.find("\r\nContent-Range: ");  // which a type, sent as it is, cannot hold
  if (at >= end || end == head.npos) return {};
  at += kName.size();
  return head.substr(at, end - at);
}

std::string part_end(std::string_view boundary) {
  return std::string("\r\n--").append(boundary).append("--\r\n");
}

std::string make_boundary() {
  unsigned char random[16] = {};
  ::arc4random_buf(random, sizeof random);  // never fails (arc4random(3))
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : random) text.append({kHex[byte >> 4], kHex[byte & 15]});
  return text;
}

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
#include "server/plain_head.h"

#include "server/syntax.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pronghorn::server {

#if defined(__x86_64__)

#define PRONGHORN_AVX2 [[gnu::target("avx2,bmi")]]
#define PRONGHORN_AVX2_INLINE [[gnu::target("avx2,bmi"), gnu::always_inline]] inline

namespace {

constexpr std::size_t kBlock = 32;

// A class of ASCII characters by its rows (the high four bits) and columns (the low four): a bit a
// row, at each column.
using Columns = std::array<std::uint8_t, 16>;
constexpr Columns columns_of(CharClass wanted, char without = '\0') {
  Columns columns{};
  for (unsigned c = 0; c < 0x80; ++c) {
    if (is_class(static_cast<char>(c), wanted) && static_cast<char>(c) != without)
      columns[c & 15] |= static_cast<std::uint8_t>(1u << (c >> 4));
  }
  return columns;
}
constexpr bool is_ascii(CharClass wanted) {
  for (unsigned c = 0x80; c < 0x100; ++c) {
    if (is_class(static_cast<char>(c), wanted)) return false;
  }
  return true;
}
static_assert(is_ascii(kToken) && is_ascii(kPath) && is_ascii(kQuery));
alignas(16) constexpr Columns kTokenColumns = columns_of(kToken);
alignas(16) constexpr Columns kPathColumns = columns_of(kPath, '%');
alignas(16) constexpr Columns kQueryColumns = columns_of(kQuery);
alignas(16) constexpr Columns kRows = {1, 2, 4, 8, 16, 32, 64, 128};

PRONGHORN_AVX2_INLINE __m256i load(const char* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
PRONGHORN_AVX2_INLINE __m256i twice(const Columns& columns) {
  return _mm256_broadcastsi128_si256(
      _mm_load_si128(reinterpret_cast<const __m128i*>(columns.data())));
}

/// A bit for each byte that is none of the class.
PRONGHORN_AVX2_INLINE std::uint32_t others(__m256i bytes, const Columns& columns) {
  __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
  // A byte of 0x80 and more has no column: shuffle gives 0.
  __m256i both = _mm256_and_si256(_mm256_shuffle_epi8(twice(columns), bytes),
                                  _mm256_shuffle_epi8(twice(kRows), high));
  return static_cast<std::uint32_t>(
      _mm256_movemask_epi8(_mm256_cmpeq_epi8(both, _mm256_setzero_si256())));
}

/// A bit for each control byte: a tab as well, which is rare in values.
PRONGHORN_AVX2_INLINE std::uint32_t controls(__m256i bytes) {
  __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
  __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(low, del)));
}

/// Where in [at, end) the run of a class ends, or a control byte stands (`kColumns` null); `end`
/// when nowhere. Reads nothing behind `end`, but before `at` (at least a block is there up to
/// `end`).
template <const Columns* kColumns>
PRONGHORN_AVX2_INLINE const char* run_end(const char* at, const char* end) {
  for (;;) {
    auto left = static_cast<std::size_t>(end - at);
    __m256i bytes = load(left >= kBlock ? at : end - kBlock);
    std::uint64_t found;
    if constexpr (kColumns != nullptr) {
      found = others(bytes, *kColumns);
    } else {
      found = controls(bytes);
    }
    if (left < kBlock) [[unlikely]]
      found >>= kBlock - left;
    if (found != 0) [[likely]]
      return at + std::countr_zero(found);
    if (left <= kBlock) return end;
    at += kBlock;
  }
}

bool is_escape(const char* at) noexcept {
  int high = hex_value(at[1]);
  int low = hex_value(at[2]);
  return high >= 0 && low >= 0 && high + low > 0;  // %00 is nobody's name
}

/// What follows the method and its space, up to the line's end. @returns the next line; null: not
/// plain
PRONGHORN_AVX2_INLINE const char* read_target(const char* begin, const char* end,
                                              std::uint64_t limit, PlainHead& head) {
  if (*begin != '/') return nullptr;
  const char* at = run_end<&kPathColumns>(begin + 1, end);
  while (end - at >= 3 && *at == '%') {
    if (!is_escape(at)) return nullptr;
    at = run_end<&kPathColumns>(at + 3, end);
  }
  head.target = {.path = {begin, at}, .query = {}, .authority = {}};
  if (at != end && *at == '?') {
    const char* query = at + 1;
    at = run_end<&kQueryColumns>(query, end);
    head.target.query = {query, at};
  }
  constexpr std::string_view kEnd = " HTTP/1.1\r\n";
  if (static_cast<std::size_t>(end - at) < kEnd.size() ||
      std::memcmp(at, kEnd.data(), kEnd.size()) != 0)
    return nullptr;
  head.target_text = {begin, at};
  return head.target_text.size() <= limit ? at + kEnd.size() : nullptr;
}

inline bool is_host(std::string_view name) noexcept {  // is_field() by one comparison
  constexpr auto kHost = std::bit_cast<std::uint32_t>(std::array{'h', 'o', 's', 't'});
  std::uint32_t word;
  std::memcpy(&word, name.data(), sizeof word);
  return (word | 0x20202020) == kHost;
}

/// @returns false for what may bear upon the message's framing or the connection's use in a way
/// that is not plain
inline bool read_known(std::string_view name, std::string_view value, HeadFacts& facts) noexcept {
  const int first = name.front() | 0x20;
  switch (name.size()) {  // most fields are none of these
    case 4:
      if (!is_host(name)) return true;
      if (facts.has_host) return false;
      facts.has_host = true;
      facts.host = value;
      return is_valid_host(value);
    case 6:
      return first != 'e' || !is_field(name, "expect");
    case 7:
      return first != 'u' || !is_field(name, "upgrade");
    case 10:
      if (first != 'c' || !is_field(name, "connection")) return true;
      facts.asks_keep_alive = true;
      return iequals(value, "keep-alive");
    case 14:
      return first != 'c' || !is_field(name, "content-length");
    case 16:
      return first != 'p' || !is_field(name, "proxy-connection");
    case 17:
      return first != 't' || !is_field(name, "transfer-encoding");
    default:
      return true;
  }
}

/// @returns the method's size with its space, or 0
inline std::size_t read_method(const char* at, Method& method) noexcept {
  if (std::memcmp(at, "GET ", 4) == 0) return 4;
  if (std::memcmp(at, "HEAD ", 5) != 0) return 0;
  method = HTTP_HEAD;
  return 5;
}

}  // namespace

bool can_read_plain_heads() noexcept {
  static const bool can = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
  return can;
}

PRONGHORN_AVX2 std::size_t read_plain_head(std::string_view bytes, const config::Limits& limits,
                                           PlainHead& head) {
  if (bytes.size() < kBlock) return 0;
  const char* begin = bytes.data();
  const char* end = begin + bytes.size();
  const std::size_t method = read_method(begin, head.method);
  if (method == 0) return 0;
  const char* at = read_target(begin + method, end, limits.uri, head);
  if (at == nullptr) return 0;
  HeadFacts facts;
  std::uint64_t lines = 0;
  while (at != end && *at != '\r') {
    if (++lines > limits.header_fields) return 0;
    const char* colon = run_end<&kTokenColumns>(at, end);
    if (colon == at || colon == end || *colon != ':') return 0;
    const char* value = colon + 1;
    while (value != end && *value == ' ') ++value;
    const char* cr = run_end<nullptr>(value, end);
    if (end - cr < 2 || cr[0] != '\r' || cr[1] != '\n') return 0;
    if (static_cast<std::size_t>(cr - at) > limits.header_line) return 0;
    const char* last = cr;
    while (last != value && last[-1] == ' ') --last;
    Field field{{at, colon}, {value, last}};
    if (!read_known(field.name, field.value, facts)) return 0;
    head.fields.push_back(field);
    at = cr + 2;
  }
  if (end - at < 2 || at[1] != '\n' || !facts.has_host) return 0;
  const auto size = static_cast<std::size_t>(at + 2 - begin);
  if (size > limits.head) return 0;
  head.facts = facts;
  return size;
}

#else

bool can_read_plain_heads() noexcept { return false; }
std::size_t read_plain_head(std::string_view, const config::Limits&, PlainHead&) { return 0; }

#endif

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// What a Range gives lies in the file, overlaps nothing, is not more than the file, and the texts
// of the answer say the same.
#include "server/range.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pronghorn;
  using namespace pronghorn::server;
  std::uint64_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  if ((length & 3) != 0) length = (length >> 2) % 200;  // mostly of the size that the text has
  std::string_view text(reinterpret_cast<const char*>(data) + sizeof length, size - sizeof length);

  constexpr std::size_t kAtMost = 16;
  const Field field{"Range", text};
  std::vector<ByteRange> ranges;
  auto verdict = evaluate_range({&field, 1}, length, kAtMost, ranges);
  if ((verdict == RangeVerdict::partial) == ranges.empty() || ranges.size() > kAtMost) std::abort();
  std::uint64_t total = 0;
  for (const ByteRange& range : ranges) {
    if (range.length == 0 || range.first >= length || range.length > length - range.first ||
        range.length > length - total)
      std::abort();
    total += range.length;
    for (const ByteRange& other : ranges) {
      if (&other != &range && other.first < range.first + range.length &&
          range.first < other.first + other.length)
        std::abort();
    }
    // Asked for in our own words, it is the same.
    std::string again = content_range(range, length);
    again = "bytes=" + again.substr(6, again.find('/') - 6);
    const Field same{"RANGE", again};
    std::vector<ByteRange> one;
    if (evaluate_range({&same, 1}, length, 1, one) != RangeVerdict::partial || one[0] != range)
      std::abort();
  }
  return 0;
}

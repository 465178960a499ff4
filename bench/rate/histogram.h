// SPDX-License-Identifier: Apache-2.0
// Counts of durations in buckets that grow with them, as HdrHistogram's: each percentile is right
// to 0.8 % from a nanosecond to a century, in 60 KiB. Used by rate.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace pronghorn::bench {

class Histogram {
 public:
  void record(std::uint64_t value) noexcept {
    ++counts_[index(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }

  /// The value that `percent` of those recorded do not exceed: the upper end of its bucket, or the
  /// greatest. 0 when nothing was recorded.
  std::uint64_t percentile(double percent) const noexcept {
    auto rank = static_cast<std::uint64_t>(
        std::ceil(percent / 100 * static_cast<double>(count_) - 1e-9));  // 99.9 is no binary number
    rank = std::clamp<std::uint64_t>(rank, 1, std::max<std::uint64_t>(count_, 1));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= rank) return std::min(upper(i), max_);
    }
    return max_;
  }

  /// Up to 255 a bucket each; beyond, 128 buckets to each power of two.
  static std::size_t index(std::uint64_t value) noexcept {
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - 8);
    return (static_cast<std::size_t>(shift) << 7) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t upper(std::size_t index) noexcept {
    if (index < 256) return index;
    const std::size_t shift = (index >> 7) - 1;
    return ((static_cast<std::uint64_t>(index - (shift << 7)) + 1) << shift) - 1;
  }

 private:
  std::array<std::uint64_t, (56 << 7) + 256> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace pronghorn::bench

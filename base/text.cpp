// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace pronghorn {
namespace {

// A C1 control character is 0xC2 and a byte of 0x80 to 0x9F in UTF-8.
bool is_c1_lead(std::string_view text, std::size_t i) noexcept {
  auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  return byte(i) == 0xc2 && i + 1 < text.size() && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9f;
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && (bytes >> (10 * (unit + 2))) != 0) ++unit;
  unsigned shift = static_cast<unsigned>(10 * (unit + 1));
  std::uint64_t whole = bytes >> shift;
  std::uint64_t tenths = ((bytes >> (shift - 10)) % 1024) * 10 / 1024;
  if (whole >= 10 || tenths == 0) return fmt::format("{} {}", whole, kUnits[unit]);
  return fmt::format("{}.{} {}", whole, tenths, kUnits[unit]);
}

std::string format_duration(Millis duration) {
  std::int64_t ms = std::max<std::int64_t>(duration.count(), 0);
  std::int64_t s = ms / 1000;
  if (s == 0) return fmt::format("{} ms", ms);
  if (s < 10 && ms % 1000 >= 100) return fmt::format("{}.{} s", s, ms % 1000 / 100);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
  return fmt::format("{}d{:02}h", s / 86400, s % 86400 / 3600);
}

void append_escaped(std::string& out, std::string_view text, std::string_view also) {
  auto hex = [&](unsigned char c) { fmt::format_to(std::back_inserter(out), "\\x{:02X}", c); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (is_c1_lead(text, i)) {
      hex(c);
      hex(static_cast<unsigned char>(text[++i]));
    } else if (c < 0x20 || c == 0x7f || also.find(text[i]) != also.npos) {
      hex(c);
    } else {
      out.push_back(text[i]);
    }
  }
}

std::string escape_control(std::string_view text, std::string_view also) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text, also);
  return out;
}

}  // namespace pronghorn

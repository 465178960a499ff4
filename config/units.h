// SPDX-License-Identifier: Apache-2.0
// Sizes ("1MiB") and durations ("30s") as text. Text and number are exact inverses.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::config {

/// B, KB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of 1024). Empty: not a size, or too
/// large.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

/// ms, s, m, h. Empty: not a duration, or too large.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

/// Digits only. Empty: not a number, or too large.
std::optional<std::uint64_t> parse_count(std::string_view text);

/// "1M" -> "1MiB", "30 sec" -> "30s": what somebody who wrote a size or a duration in another
/// program's way meant; empty: no idea.
std::string guess_size(std::string_view text);
std::string guess_duration(std::string_view text);

}  // namespace pronghorn::config

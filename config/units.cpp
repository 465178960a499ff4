// SPDX-License-Identifier: Apache-2.0
#include "config/units.h"

#include "config/suggest.h"

#include <charconv>
#include <limits>
#include <span>

namespace pronghorn::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// The largest first: printing takes the first that divides.
constexpr Unit kSizeUnits[] = {{"TiB", 1ULL << 40},
                               {"TB", 1'000'000'000'000},
                               {"GiB", 1ULL << 30},
                               {"GB", 1'000'000'000},
                               {"MiB", 1ULL << 20},
                               {"MB", 1'000'000},
                               {"KiB", 1ULL << 10},
                               {"KB", 1'000},
                               {"B", 1}};
constexpr Unit kDurationUnits[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

constexpr std::pair<std::string_view, std::string_view> kOtherSizes[] = {
    {"k", "KiB"}, {"kb", "KB"}, {"kib", "KiB"}, {"m", "MiB"},   {"mb", "MB"},   {"mib", "MiB"},
    {"g", "GiB"}, {"gb", "GB"}, {"gib", "GiB"}, {"tb", "TB"},   {"tib", "TiB"}, {"t", "TiB"},
    {"b", "B"},   {"", "B"},    {"byte", "B"},  {"bytes", "B"}, {"octets", "B"}};
constexpr std::pair<std::string_view, std::string_view> kOtherDurations[] = {
    {"", "s"},     {"sec", "s"},   {"secs", "s"},   {"second", "s"},  {"seconds", "s"},
    {"min", "m"},  {"mins", "m"},  {"minute", "m"}, {"minutes", "m"}, {"hr", "h"},
    {"hour", "h"}, {"hours", "h"}, {"msec", "ms"},  {"millis", "ms"}, {"s", "s"},
    {"m", "m"},    {"h", "h"},     {"ms", "ms"}};

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& u : units) {
    if (u.name != unit) continue;
    // A signed 64-bit number is what TOML and std::chrono can hold.
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (number > kMost / u.factor) return std::nullopt;
    return number * u.factor;
  }
  return std::nullopt;
}

std::string format(std::uint64_t number, std::span<const Unit> units, std::string_view zero) {
  if (number == 0) return std::string(zero);
  for (const Unit& u : units) {
    if (number % u.factor == 0) return std::to_string(number / u.factor) + std::string(u.name);
  }
  return {};
}

std::string guess(std::string_view text,
                  std::span<const std::pair<std::string_view, std::string_view>> words) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == 0) return {};
  const std::string_view number = text.substr(0, digits);
  std::string unit(digits == std::string_view::npos ? std::string_view() : text.substr(digits));
  unit.erase(0, unit.find_first_not_of(' ') == std::string::npos ? unit.size()
                                                                 : unit.find_first_not_of(' '));
  unit = lower(unit);
  for (const auto& [theirs, ours] : words) {
    if (theirs == unit) return std::string(number) + std::string(ours);
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) { return parse(text, kSizeUnits); }

std::string format_size(std::uint64_t bytes) { return format(bytes, kSizeUnits, "0B"); }

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto number = parse(text, kDurationUnits);
  if (!number) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*number));
}

std::string format_duration(std::chrono::milliseconds duration) {
  return format(static_cast<std::uint64_t>(duration.count()), kDurationUnits, "0s");
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  constexpr Unit kNone[] = {{"", 1}};
  return parse(text, kNone);
}

std::string guess_size(std::string_view text) { return guess(text, kOtherSizes); }
std::string guess_duration(std::string_view text) { return guess(text, kOtherDurations); }

}  // namespace pronghorn::config

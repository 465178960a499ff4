// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/scheduling.h>

#include <array>

namespace pronghorn {
namespace {

constexpr std::array<std::string_view, 4> kNames{"shared", "reuseport", "round_robin",
                                                 "least_connections"};

}  // namespace

std::string_view scheduling_name(Scheduling scheduling) noexcept {
  return kNames[static_cast<std::size_t>(scheduling)];
}

std::optional<Scheduling> parse_scheduling(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return static_cast<Scheduling>(i);
  }
  return std::nullopt;
}

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// How the connections of a listener reach the workers (Node: cluster.schedulingPolicy).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pronghorn {

enum class Scheduling : std::uint8_t {
  shared,       ///< all workers accept from one socket (Node: SCHED_NONE)
  reuseport,    ///< each worker has a socket of its own (SO_REUSEPORT), which the primary keeps
  round_robin,  ///< the primary accepts and hands over in turn (Node: SCHED_RR)
  least_connections,  ///< the primary hands over to the worker with the fewest
};

/// "shared", "reuseport", "round_robin", "least_connections".
std::string_view scheduling_name(Scheduling scheduling) noexcept;
std::optional<Scheduling> parse_scheduling(std::string_view text) noexcept;

/// Whether the primary accepts and hands over.
constexpr bool hands_over(Scheduling scheduling) noexcept {
  return scheduling == Scheduling::round_robin || scheduling == Scheduling::least_connections;
}

}  // namespace pronghorn

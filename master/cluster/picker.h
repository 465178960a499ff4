// SPDX-License-Identifier: Apache-2.0
// Which worker gets the next connection: the one question in which the handing strategies differ.
// Pure. Driven by HandOver; one file a strategy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace pronghorn::master {

class Picker {
 public:
  struct Candidate {
    std::uint64_t id = 0;
    std::uint64_t connections = 0;  ///< open ones by the scoreboard, and those on their way
    bool is_free = false;           ///< has no hand-off unanswered, and has not just refused one
  };
  /// A client's address, hashed; the same for each of its ports.
  using Client = std::uint64_t;

  virtual ~Picker() = default;
  /// `candidates` in the order in which they joined: all that live and are not leaving.
  /// @returns a free one's id; empty: the connection waits until one of them is free or goes
  virtual std::optional<std::uint64_t> pick(std::span<const Candidate> candidates,
                                            Client client) = 0;
  /// Whether a connection that cannot be placed now holds back those behind it (they are no
  /// different), or only its own client's.
  virtual bool is_client_bound() const noexcept { return false; }
};

/// In turn; a worker that is not free is passed over, and is no further back for it.
std::unique_ptr<Picker> make_round_robin();
/// The one with the fewest connections, also if it must be waited for.
std::unique_ptr<Picker> make_least_connections();
/// A client stays with its worker as long as that one lives; `first` places new ones. Clients are
/// kept in 4096 buckets.
std::unique_ptr<Picker> make_sticky(std::unique_ptr<Picker> first);

}  // namespace pronghorn::master

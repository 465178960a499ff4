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
    /// Not free, but will be within moments: its answer is due.
    bool is_due = false;
  };
  /// A client's address, hashed; the same for each of its ports. Empty: it has none (unix sockets).
  using Client = std::optional<std::uint64_t>;

  virtual ~Picker() = default;
  /// `candidates` in the order in which they joined: all that live, answer, and are not leaving.
  /// @returns a free one's id; empty: the connection waits until one of them is free or goes
  virtual std::optional<std::uint64_t> pick(std::span<const Candidate> candidates,
                                            Client client) = 0;
  /// Whether a connection that cannot be placed now holds back those behind it (they are no
  /// different), or only its own client's.
  virtual bool is_client_bound() const noexcept { return false; }
  /// Whether it goes by Candidate::connections, so that every worker must have counters.
  virtual bool counts_connections() const noexcept { return false; }
};

/// In turn. A worker that is not free is passed over, and is no further back for it: it makes up
/// for up to 16 turns that it missed.
std::unique_ptr<Picker> make_round_robin();
/// The one with the fewest connections, also if its answer must be waited for; among equals in
/// turn.
std::unique_ptr<Picker> make_least_connections();
/// A client stays with its worker as long as that one lives and answers; `first` places new ones.
/// Clients are kept in 4096 buckets.
std::unique_ptr<Picker> make_sticky(std::unique_ptr<Picker> first);

}  // namespace pronghorn::master

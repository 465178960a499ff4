// SPDX-License-Identifier: Apache-2.0
// Round robin: the free worker that has had the fewest turns; among equals the one that has waited
// longest. Used by HandOver, and by Sticky for new clients.
#include "master/cluster/picker.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace pronghorn::master {
namespace {

/// What a worker that was busy may make up for. Without a bound, one that was slow for a minute
/// would get everything afterwards.
constexpr std::uint64_t kMissedTurns = 16;

class RoundRobin final : public Picker {
 public:
  std::optional<std::uint64_t> pick(std::span<const Candidate> candidates,
                                    Client /*client*/) override {
    seat(candidates);
    Seat* next = nullptr;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      most = std::max(most, seats_[i].turns);
      if (!candidates[i].is_free) continue;
      if (next == nullptr || seats_[i].is_before(*next)) next = &seats_[i];
    }
    if (next == nullptr) return std::nullopt;
    next->turns = std::max(next->turns, most - std::min(most, kMissedTurns)) + 1;
    next->last = ++count_;
    return next->id;
  }

 private:
  struct Seat {
    std::uint64_t id = 0;
    std::uint64_t turns = 0;
    std::uint64_t last = 0;  // when it had its turn, by the count of all; 0: never
    bool is_before(const Seat& other) const noexcept {
      return turns != other.turns ? turns < other.turns : last < other.last;
    }
  };

  // One each, in the same order. A newcomer owes nothing and is owed nothing.
  void seat(std::span<const Candidate> candidates) {
    if (std::ranges::equal(candidates, seats_, {}, &Candidate::id, &Seat::id)) return;
    std::uint64_t most = 0;
    for (const Seat& seat : seats_) most = std::max(most, seat.turns);
    const auto before = std::exchange(seats_, {});
    for (const Candidate& candidate : candidates) {
      auto known = std::ranges::find(before, candidate.id, &Seat::id);
      seats_.push_back(known != before.end() ? *known : Seat{candidate.id, most, 0});
    }
  }

  std::vector<Seat> seats_;
  std::uint64_t count_ = 0;
};

}  // namespace

std::unique_ptr<Picker> make_round_robin() { return std::make_unique<RoundRobin>(); }

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// Least connections: the worker with the fewest open ones, those on their way included. Used by
// HandOver, and by Sticky for new clients.
#include "master/cluster/picker.h"

namespace pronghorn::master {
namespace {

class LeastConnections final : public Picker {
 public:
  std::optional<std::uint64_t> pick(std::span<const Candidate> candidates,
                                    Client /*client*/) override {
    const Candidate* least = nullptr;
    for (const Candidate& candidate : candidates) {
      // One that is neither is full, or stuck: to wait for it would stall everybody.
      if (!candidate.is_free && !candidate.is_due) continue;
      if (least == nullptr || is_before(candidate, *least)) least = &candidate;
    }
    // To pass over the one whose answer is due would unbalance a burst.
    if (least == nullptr || !least->is_free) return std::nullopt;
    last_ = least->id;
    return last_;
  }
  bool counts_connections() const noexcept override { return true; }

 private:
  // Among equals a free one, and then in turn, so that short connections do not all go to the
  // first.
  bool is_before(const Candidate& a, const Candidate& b) const noexcept {
    if (a.connections != b.connections) return a.connections < b.connections;
    if (a.is_free != b.is_free) return a.is_free;
    const bool a_had_its_turn = a.id <= last_;
    const bool b_had_its_turn = b.id <= last_;
    if (a_had_its_turn != b_had_its_turn) return b_had_its_turn;
    return a.id < b.id;
  }

  std::uint64_t last_ = 0;
};

}  // namespace

std::unique_ptr<Picker> make_least_connections() { return std::make_unique<LeastConnections>(); }

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// Stickiness: a client stays with its worker. Another picker places new clients. Used by HandOver.
#include "master/cluster/picker.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pronghorn::master {
namespace {

/// So that memory does not grow with the clients; those of one bucket share their worker.
constexpr std::size_t kBuckets = 4096;

class Sticky final : public Picker {
 public:
  explicit Sticky(std::unique_ptr<Picker> first) : first_(std::move(first)) {}

  std::optional<std::uint64_t> pick(std::span<const Candidate> candidates, Client client) override {
    if (!client) return first_->pick(candidates, client);
    std::uint64_t& worker = workers_[*client % kBuckets];
    auto own = std::ranges::find(candidates, worker, &Candidate::id);
    if (own != candidates.end()) {
      return own->is_free ? std::optional(own->id) : std::nullopt;
    }
    auto placed = first_->pick(candidates, client);
    if (placed) worker = *placed;
    return placed;
  }
  bool is_client_bound() const noexcept override { return true; }
  bool counts_connections() const noexcept override { return first_->counts_connections(); }

 private:
  std::unique_ptr<Picker> first_;
  std::array<std::uint64_t, kBuckets> workers_{};  // by id; 0 is nobody's (Node's begin with 1)
};

}  // namespace

std::unique_ptr<Picker> make_sticky(std::unique_ptr<Picker> first) {
  return std::make_unique<Sticky>(std::move(first));
}

}  // namespace pronghorn::master

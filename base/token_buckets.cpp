// SPDX-License-Identifier: Apache-2.0
#include "base/token_buckets.h"

#include <algorithm>
#include <bit>

namespace pronghorn {
namespace {

constexpr std::uint32_t kSetBuckets = 4;  // a cache line
// A swap that fails is another worker's that succeeded; so many in a row no honest machine has.
constexpr int kTries = 64;
// A token a nanosecond, and a burst of years: beyond that the reckoning would overflow.
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMost = 1'000'000'000;
// Workers' clocks are those of their loops' turns, so one may be behind by a turn's length.
constexpr std::int64_t kAbsurd = 60'000'000'000;

std::uint32_t sets_for(std::uint32_t clients) noexcept {
  return std::bit_ceil(std::max(clients, 2 * kSetBuckets) / kSetBuckets);
}

}  // namespace

TokenBuckets::TokenBuckets(void* memory, std::uint32_t clients) noexcept
    : buckets_(static_cast<Bucket*>(memory)), sets_(sets_for(clients)) {}

std::size_t TokenBuckets::bytes(std::uint32_t clients) noexcept {
  return std::size_t{sets_for(clients)} * kSetBuckets * sizeof(Bucket);
}

/// Both sets that a client may be in. A bucket that nobody has is the stalest of all.
TokenBuckets::Place TokenBuckets::look(ClientKey key) const noexcept {
  Place place;
  std::int64_t least = 0;
  for (std::uint64_t bits : {key, key * 0x9e3779b97f4a7c15 >> 32}) {
    Bucket* set =
        buckets_ + std::size_t{static_cast<std::uint32_t>(bits) & (sets_ - 1)} * kSetBuckets;
    for (Bucket* bucket = set; bucket != set + kSetBuckets; ++bucket) {
      if (bucket->key.load(std::memory_order_relaxed) == key) {
        place.found = bucket;
        return place;
      }
      std::int64_t full_at = bucket->full_at.load(std::memory_order_relaxed);
      if (place.stalest == nullptr || full_at < least) {
        place.stalest = bucket;
        least = full_at;
      }
    }
  }
  return place;
}

/// The client's bucket, new if need be.
TokenBuckets::Bucket* TokenBuckets::find(ClientKey key, std::int64_t now) noexcept {
  for (int i = 0; i < kTries; ++i) {
    Place place = look(key);
    if (place.found != nullptr) return place.found;
    Bucket* bucket = place.stalest;
    ClientKey before = bucket->key.load(std::memory_order_relaxed);
    if (!bucket->key.compare_exchange_strong(before, key)) continue;
    // Whoever had it may have been in debt, which is not the newcomer's.
    std::int64_t debt = bucket->full_at.load(std::memory_order_relaxed);
    if (debt > now) bucket->full_at.compare_exchange_strong(debt, now);
    // Two workers that made one each go on with the same: the first that is found.
  }
  return nullptr;
}

TokenBuckets::Nanos TokenBuckets::take(ClientKey key, const RequestRate& rate, Nanos now) noexcept {
  const std::uint64_t burst = rate.burst != 0 ? rate.burst : rate.requests;
  const std::int64_t token = kSecond / static_cast<std::int64_t>(std::min(rate.requests, kMost));
  const std::int64_t whole = token * static_cast<std::int64_t>(std::min(burst, kMost));
  const std::int64_t latest = now.count() + whole;
  Bucket* bucket = find(key, now.count());
  if (bucket == nullptr) return Nanos::zero();
  std::int64_t before = bucket->full_at.load(std::memory_order_relaxed);
  for (int i = 0; i < kTries; ++i) {
    const std::int64_t full_at = std::clamp(before, now.count(), latest + kAbsurd);
    const std::int64_t after = full_at + token;
    if (after > latest) {
      // Nobody of ours makes it so empty: it would shut the client out for ever.
      if (full_at == latest + kAbsurd) bucket->full_at.compare_exchange_strong(before, latest);
      return Nanos(std::min(after - latest, token));
    }
    if (bucket->full_at.compare_exchange_weak(before, after)) break;
  }
  return Nanos::zero();
}

}  // namespace pronghorn

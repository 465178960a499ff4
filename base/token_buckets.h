// SPDX-License-Identifier: Apache-2.0
// A token bucket for each client, in memory that all workers share. A bucket is one word, the time
// at which it will be full again (the "theoretical arrival time" of GCRA, ITU-T I.371), changed by
// one compare-and-swap: there is no lock, and no instant at which a worker's death leaves it wrong.
// Part of ClientTable.
#pragma once

#include "base/client_key.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pronghorn {

class TokenBuckets {
 public:
  using Nanos = std::chrono::nanoseconds;

  /// `memory`, zeros at first, has bytes(clients) bytes on a cache line's border.
  TokenBuckets(void* memory, std::uint32_t clients) noexcept;
  static std::size_t bytes(std::uint32_t clients) noexcept;

  /// Takes a token. @returns zero, or how long until there is one (then none is taken). A client
  /// that is new gets a full bucket; where all places are taken, that of the client which has asked
  /// least of late.
  /// @param now  of a monotonic clock that all processes share
  Nanos take(ClientKey key, const RequestRate& rate, Nanos now) noexcept;

 private:
  struct Bucket {
    std::atomic<ClientKey> key;
    std::atomic<std::int64_t> full_at;  // nanoseconds
  };
  static_assert(std::atomic<std::int64_t>::is_always_lock_free && sizeof(Bucket) == 16);

  struct Place {
    Bucket* found = nullptr;
    Bucket* stalest = nullptr;
  };
  Place look(ClientKey key) const noexcept;
  Bucket* find(ClientKey key, std::int64_t now) noexcept;

  Bucket* buckets_;
  std::uint32_t sets_;
};

}  // namespace pronghorn

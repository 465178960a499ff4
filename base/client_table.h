// SPDX-License-Identifier: Apache-2.0
// What a server remembers of its clients' addresses: the connections of each, and a token bucket of
// each. One block of memory of a fixed size, which all workers of a master share
// (ipc/client_memory.h); a server that is alone has its own. Addresses themselves are not kept,
// only hashes under a key that nobody outside knows.
#pragma once

#include <pronghorn/base/result.h>

#include "base/client_counts.h"
#include "base/client_key.h"
#include "base/sip_hash.h"
#include "base/token_buckets.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <sys/socket.h>

namespace pronghorn {

class ClientTable {
 public:
  struct Shape {
    std::uint32_t clients = 0;  ///< that are remembered at once, at least
    std::uint32_t slots = 1;    ///< workers
  };
  static std::size_t bytes(const Shape& shape) noexcept;
  /// Over `memory`, which outlives it, of bytes(shape) zeros on a page's border.
  /// @errors no randomness for the key
  static Result<ClientTable> create(void* memory, const Shape& shape);
  /// Over memory that create() has been over, perhaps in another process. @errors another
  /// version's, or not `size` bytes
  static Result<ClientTable> attach(void* memory, std::size_t size);
  /// In memory of its own.
  static Result<ClientTable> create_private(std::uint32_t clients);

  /// @param ipv6_prefix  of an IPv6 address only so many bits count (1 to 128): a subscriber has a
  /// /64 at least. An IPv4 address is itself, also in its IPv6 form. 0 of anything else (a unix
  /// socket), which is not limited.
  ClientKey key(const sockaddr_storage& address, unsigned ipv6_prefix) const noexcept;

  ClientCounts& connections() noexcept { return connections_; }
  TokenBuckets& requests() noexcept { return requests_; }
  const Shape& shape() const noexcept { return shape_; }

 private:
  struct Header;
  struct Unmap {
    std::size_t size;
    void operator()(void* memory) const noexcept;
  };
  ClientTable(void* memory, const Shape& shape, const SipKey& secret) noexcept;

  Shape shape_;  // not the header's from here on: a worker with a stray pointer may write over that
  SipKey secret_;
  ClientCounts connections_;
  TokenBuckets requests_;
  std::unique_ptr<void, Unmap> own_;
};

}  // namespace pronghorn

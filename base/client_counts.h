// SPDX-License-Identifier: Apache-2.0
// How many connections each client has, in memory that all workers share. Each worker writes its
// own part only and reads all: no lock, no read-modify-write that a death could leave half done,
// and a dead worker's part is emptied by the master. Part of ClientTable.
#pragma once

#include "base/client_key.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pronghorn {

class ClientCounts {
 public:
  /// A word is 48 bits of the key and 16 of the count.
  static constexpr std::uint32_t kMost = 65'535;

  /// `memory`, zeros at first, has bytes(clients, slots) bytes on a cache line's border; both are
  /// powers of two or rounded up to them.
  ClientCounts(void* memory, std::uint32_t clients, std::uint32_t slots) noexcept;
  static std::size_t bytes(std::uint32_t clients, std::uint32_t slots) noexcept;

  enum class Entry : std::uint8_t {
    counted,    // leave() takes it back
    uncounted,  // no place for this client among so many: it is let in
    refused,    // it would be more than `most`
  };
  /// One connection more of `key` at `slot`. Never more than `most` in all slots together; when two
  /// slots let in at the same instant, it may be one less. Only the slot's own process calls it.
  Entry enter(std::uint32_t slot, ClientKey key, std::uint32_t most) noexcept;
  void leave(std::uint32_t slot, ClientKey key) noexcept;
  std::uint32_t count(ClientKey key) const noexcept;
  /// Of a worker that is dead.
  void clear(std::uint32_t slot) noexcept;

 private:
  using Word = std::atomic<std::uint64_t>;
  static_assert(Word::is_always_lock_free);

  Word* sets_of(std::uint32_t slot) const noexcept;
  Word* find(std::uint32_t slot, ClientKey key) const noexcept;
  Word* find_free(std::uint32_t slot, ClientKey key) const noexcept;

  Word* words_;
  std::uint32_t sets_;  // of a slot
  std::uint32_t slots_;
};

}  // namespace pronghorn

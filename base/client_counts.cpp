// SPDX-License-Identifier: Apache-2.0
#include "base/client_counts.h"

#include <algorithm>
#include <bit>

namespace pronghorn {
namespace {

constexpr std::uint32_t kSetWords = 8;  // a cache line
constexpr std::uint64_t kCountMask = ClientCounts::kMost;

std::uint32_t sets_for(std::uint32_t clients) noexcept {
  return std::bit_ceil(std::max(clients, 2 * kSetWords) / kSetWords);
}

std::uint64_t tag_of(ClientKey key) noexcept { return key & ~kCountMask; }

/// Either of two sets takes a client: then hardly one is full before the table is.
std::uint32_t set_of(ClientKey key, unsigned choice, std::uint32_t sets) noexcept {
  std::uint64_t bits = choice == 0 ? key : key * 0x9e3779b97f4a7c15 >> 32;
  return static_cast<std::uint32_t>(bits) & (sets - 1);
}

}  // namespace

ClientCounts::ClientCounts(void* memory, std::uint32_t clients, std::uint32_t slots) noexcept
    : words_(static_cast<Word*>(memory)), sets_(sets_for(clients)), slots_(slots) {}

std::size_t ClientCounts::bytes(std::uint32_t clients, std::uint32_t slots) noexcept {
  return std::size_t{sets_for(clients)} * kSetWords * sizeof(Word) * slots;
}

ClientCounts::Word* ClientCounts::sets_of(std::uint32_t slot) const noexcept {
  return words_ + std::size_t{sets_} * kSetWords * slot;
}

/// The client's word at the slot; null: none.
ClientCounts::Word* ClientCounts::find(std::uint32_t slot, ClientKey key) const noexcept {
  for (unsigned choice = 0; choice < 2; ++choice) {
    Word* set = sets_of(slot) + std::size_t{set_of(key, choice, sets_)} * kSetWords;
    for (Word* word = set; word != set + kSetWords; ++word) {
      std::uint64_t value = word->load();
      if ((value & kCountMask) != 0 && (value & ~kCountMask) == tag_of(key)) return word;
    }
  }
  return nullptr;
}

/// A free word in the emptier of the two sets; null: both are full.
ClientCounts::Word* ClientCounts::find_free(std::uint32_t slot, ClientKey key) const noexcept {
  Word* best = nullptr;
  int most = 0;
  for (unsigned choice = 0; choice < 2; ++choice) {
    Word* set = sets_of(slot) + std::size_t{set_of(key, choice, sets_)} * kSetWords;
    Word* free = nullptr;
    int count = 0;
    for (Word* word = set; word != set + kSetWords; ++word) {
      if ((word->load(std::memory_order_relaxed) & kCountMask) != 0) continue;
      free = word;
      ++count;
    }
    if (count > most) {
      best = free;
      most = count;
    }
  }
  return best;
}

ClientCounts::Entry ClientCounts::enter(std::uint32_t slot, ClientKey key,
                                        std::uint32_t most) noexcept {
  Word* word = find(slot, key);
  if (word == nullptr) word = find_free(slot, key);
  if (word == nullptr) return Entry::uncounted;
  std::uint64_t before = word->load(std::memory_order_relaxed);
  std::uint64_t now = (before & kCountMask) != 0 ? before : tag_of(key);
  // Ours first, then the others' (both sequentially consistent): of two that do this at once, one
  // at least sees the other.
  if ((now & kCountMask) < kMost) word->store(now + 1);
  if ((now & kCountMask) < kMost && count(key) <= most) return Entry::counted;
  word->store(now);
  return Entry::refused;
}

void ClientCounts::leave(std::uint32_t slot, ClientKey key) noexcept {
  if (Word* word = find(slot, key)) word->store(word->load(std::memory_order_relaxed) - 1);
}

std::uint32_t ClientCounts::count(ClientKey key) const noexcept {
  std::uint32_t sum = 0;
  for (std::uint32_t slot = 0; slot < slots_; ++slot) {
    if (const Word* word = find(slot, key)) {
      sum += static_cast<std::uint32_t>(word->load() & kCountMask);
    }
  }
  return sum;
}

void ClientCounts::clear(std::uint32_t slot) noexcept {
  Word* begin = sets_of(slot);
  for (Word* word = begin; word != begin + std::size_t{sets_} * kSetWords; ++word) {
    if (word->load(std::memory_order_relaxed) != 0) word->store(0, std::memory_order_relaxed);
  }
}

}  // namespace pronghorn

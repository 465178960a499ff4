// SPDX-License-Identifier: Apache-2.0
// Memory for objects of one type that come and go: the steady state of connections that are
// accepted and closed does not grow, and does not go to malloc.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <sanitizer/asan_interface.h>  // no-ops without the sanitizer
#include <utility>
#include <vector>

namespace pronghorn::server {

/// Blocks are never given back before the pool is destroyed: it holds what the busiest moment
/// needed.
template <class T>
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  /// Every object must have been destroyed.
  ~Pool() {
    for (auto& block : blocks_) {
      ASAN_UNPOISON_MEMORY_REGION(block.get(), kPerBlock * sizeof(Cell));
    }
  }

  template <class... Args>
  T* create(Args&&... args) {
    if (free_ == nullptr) grow();
    Cell* cell = free_;
    ASAN_UNPOISON_MEMORY_REGION(cell, sizeof(Cell));
    free_ = cell->next;
    return ::new (static_cast<void*>(cell->object)) T(std::forward<Args>(args)...);
  }

  void destroy(T* object) noexcept {
    object->~T();
    Cell* cell = ::new (static_cast<void*>(object)) Cell;
    cell->next = free_;
    free_ = cell;
    ASAN_POISON_MEMORY_REGION(cell, sizeof(Cell));
  }

 private:
  static constexpr std::size_t kPerBlock = 64;
  union Cell {
    Cell* next;
    alignas(T) std::byte object[sizeof(T)];
  };

  void grow() {
    blocks_.push_back(std::make_unique_for_overwrite<Cell[]>(kPerBlock));
    Cell* block = blocks_.back().get();
    for (std::size_t i = 0; i < kPerBlock; ++i) {
      block[i].next = free_;
      free_ = &block[i];
      ASAN_POISON_MEMORY_REGION(&block[i], sizeof(Cell));
    }
  }

  std::vector<std::unique_ptr<Cell[]>> blocks_;
  Cell* free_ = nullptr;
};

}  // namespace pronghorn::server

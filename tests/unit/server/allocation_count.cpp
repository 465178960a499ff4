// SPDX-License-Identifier: Apache-2.0
#include "allocation_count.h"

#include <uv.h>

#include <cstdlib>
#include <new>

std::uint64_t pronghorn::test::allocations = 0;

void pronghorn::test::count_libuv_too() {
  uv_replace_allocator(
      [](std::size_t n) {
        ++allocations;
        return std::malloc(n);
      },
      [](void* p, std::size_t n) {
        ++allocations;
        return std::realloc(p, n);
      },
      [](std::size_t n, std::size_t size) {
        ++allocations;
        return std::calloc(n, size);
      },
      std::free);
}

void* operator new(std::size_t size) {
  ++pronghorn::test::allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

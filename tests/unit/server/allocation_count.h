// SPDX-License-Identifier: Apache-2.0
// This test program's operator new counts.
#pragma once

#include <cstdint>

namespace pronghorn::test {

extern std::uint64_t allocations;  // the tests are one thread
void count_libuv_too();

}  // namespace pronghorn::test

// SPDX-License-Identifier: Apache-2.0
// Whether this is the build with the address sanitizer, which keeps what was freed, and is slow.
#pragma once

namespace pronghorn::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace pronghorn::test

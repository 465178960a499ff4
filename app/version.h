// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pronghorn::app {

inline constexpr const char* kVersion = PRONGHORN_VERSION;  // CMake's project version

}  // namespace pronghorn::app

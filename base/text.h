// SPDX-License-Identifier: Apache-2.0
// Text for people and for logs: sizes, durations, and bytes that must not reach a terminal as they
// are.
#pragma once

#include <pronghorn/base/clock.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace pronghorn {

/// "120 B", "1.2 KiB", "34 MiB": three digits at most, cut and not rounded.
std::string format_bytes(std::uint64_t bytes);

/// "400 ms", "6.4 s", "30 s", "3 min 02 s", "5 h 09 min", "3d04h": cut and not rounded.
std::string format_duration(Millis duration);

/// Appends `text` with its control characters as \xHH: bytes below 0x20, 0x7f, and U+0080 to
/// U+009F, which terminals obey as well. `also` are further ASCII bytes to escape, such as "\"\\".
void append_escaped(std::string& out, std::string_view text, std::string_view also = {});
std::string escape_control(std::string_view text, std::string_view also = {});

}  // namespace pronghorn

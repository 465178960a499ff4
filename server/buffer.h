// SPDX-License-Identifier: Apache-2.0
// Emptying strings that are buffers. Neither clear() nor an assignment of an empty string gives
// their memory back (libstdc++ copies a short string into what is there).
#pragma once

#include <cstddef>
#include <string>

namespace pronghorn::server {

/// Empties it, and gives its memory back.
inline void let_go(std::string& buffer) noexcept { std::string().swap(buffer); }

/// Empties a buffer of a connection that may be idle now: room for small things stays.
inline void clear_buffer(std::string& buffer) noexcept {
  constexpr std::size_t kKept = 1024;
  buffer.capacity() > kKept ? let_go(buffer) : buffer.clear();
}

}  // namespace pronghorn::server

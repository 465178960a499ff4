// SPDX-License-Identifier: Apache-2.0
// Frames as a WebSocket client makes them, and ours in words.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace pronghorn::test {

inline constexpr int kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

/// A frame as a client sends it.
inline std::string frame(int opcode, std::string_view data, bool fin = true,
                         std::string mask = "\1\2\3\4", int reserved = 0) {
  std::string out;
  out += static_cast<char>((fin ? 0x80 : 0) | reserved << 4 | opcode);
  const int masked = mask.empty() ? 0 : 0x80;
  const auto size = data.size();
  if (size < 126) {
    out += static_cast<char>(masked | static_cast<int>(size));
  } else if (size < 65536) {
    out += static_cast<char>(masked | 126);
    for (int shift : {8, 0}) out += static_cast<char>(size >> shift);
  } else {
    out += static_cast<char>(masked | 127);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  }
  out += mask;
  for (std::size_t i = 0; i < size; ++i) {
    out += mask.empty() ? data[i] : static_cast<char>(data[i] ^ mask[i % 4]);
  }
  return out;
}

inline std::string close_frame(int code, std::string_view reason = {}) {
  return frame(kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code)} +
                           std::string(reason));
}

/// Our frames, written down: "t:hello " "close:1002 (why) ".
inline std::string shown(std::string_view out) {
  std::string text;
  while (!out.empty()) {
    REQUIRE(out.size() >= 2);
    const int opcode = out[0] & 15;
    CHECK((out[0] & 0xf0) == 0x80);
    std::size_t size = static_cast<unsigned char>(out[1]), head = 2;
    REQUIRE(size < 128);  // a server masks nothing
    if (size >= 126) {
      const std::size_t digits = size == 126 ? 2 : 8;
      size = 0;
      for (std::size_t i = 0; i < digits; ++i) {
        size = size << 8 | static_cast<unsigned char>(out[2 + i]);
      }
      head += digits;
    }
    std::string_view data = out.substr(head, size);
    if (opcode == kClose) {
      text += "close:";
      if (!data.empty()) {
        text += std::to_string(static_cast<unsigned char>(data[0]) << 8 |
                               static_cast<unsigned char>(data[1]));
        if (data.size() > 2) text += "(" + std::string(data.substr(2)) + ")";
      }
    } else {
      text += (opcode == kText     ? "t:"
               : opcode == kBinary ? "b:"
               : opcode == kPing   ? "ping:"
                                   : "pong:");
      text += data;
    }
    text += " ";
    out.remove_prefix(head + size);
  }
  return text;
}

}  // namespace pronghorn::test

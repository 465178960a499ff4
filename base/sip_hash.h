// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 of whole 64-bit words: a short hash under a secret key, so that nobody outside can
// choose inputs that collide (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace pronghorn {

using SipKey = std::array<std::uint64_t, 2>;

namespace detail {

struct SipState {
  std::uint64_t a, b, c, d;  // the paper's v0 … v3

  constexpr void rounds(int count) noexcept {
    for (int i = 0; i < count; ++i) {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
  }
  constexpr void take(std::uint64_t word) noexcept {
    d ^= word;
    rounds(2);
    a ^= word;
  }
};

}  // namespace detail

constexpr std::uint64_t sip_hash(const SipKey& key, std::span<const std::uint64_t> words) noexcept {
  detail::SipState state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                         key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  for (std::uint64_t word : words) state.take(word);
  state.take(std::uint64_t{words.size() * 8} << 56);
  state.c ^= 0xff;
  state.rounds(4);
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace pronghorn

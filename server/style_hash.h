// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) at compile time, for the one thing that needs it: naming our pages' own
// style in their Content-Security-Policy, so that no other style and no script can run in them.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace pronghorn::server {

namespace detail {

__extension__ using Wide = unsigned __int128;

// The first 32 bits of the fractional part of the nth root of p.
consteval std::uint32_t root_fraction(std::uint64_t p, bool cube) {
  Wide low = 0;
  Wide high = static_cast<Wide>(1) << 37;
  // Largest x with x^2 <= p * 2^64, or x^3 <= p * 2^96: the root in units of 2^-32.
  while (high - low > 1) {
    Wide x = (low + high) / 2;
    bool fits =
        cube ? x * x * x <= (static_cast<Wide>(p) << 96) : x * x <= (static_cast<Wide>(p) << 64);
    (fits ? low : high) = x;
  }
  return static_cast<std::uint32_t>(low);
}

template <std::size_t N>
consteval std::array<std::uint32_t, N> prime_root_fractions(bool cube) {
  std::array<std::uint32_t, N> out{};
  std::size_t found = 0;
  for (std::uint64_t p = 2; found < N; ++p) {
    bool prime = true;
    for (std::uint64_t d = 2; d * d <= p; ++d) prime = prime && p % d != 0;
    if (prime) out[found++] = root_fraction(p, cube);
  }
  return out;
}

consteval void sha256_block(std::array<std::uint32_t, 8>& state,
                            const std::array<std::uint8_t, 64>& in) {
  constexpr auto k = prime_root_fractions<64>(true);
  std::array<std::uint32_t, 64> w{};
  for (unsigned i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{in[4 * i]} << 24 | std::uint32_t{in[4 * i + 1]} << 16 |
           std::uint32_t{in[4 * i + 2]} << 8 | std::uint32_t{in[4 * i + 3]};
  }
  for (unsigned i = 16; i < 64; ++i) {
    std::uint32_t a = w[i - 15];
    std::uint32_t b = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
  }
  auto v = state;
  for (unsigned i = 0; i < 64; ++i) {
    std::uint32_t s1 = std::rotr(v[4], 6) ^ std::rotr(v[4], 11) ^ std::rotr(v[4], 25);
    std::uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
    std::uint32_t s0 = std::rotr(v[0], 2) ^ std::rotr(v[0], 13) ^ std::rotr(v[0], 22);
    std::uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    v = {t1 + t2, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
  }
  for (unsigned i = 0; i < 8; ++i) state[i] += v[i];
}

}  // namespace detail

/// SHA-256 of a text, in base64: what stands after "sha256-" in a policy.
consteval std::array<char, 44> sha256_base64(std::string_view text) {
  auto state = detail::prime_root_fractions<8>(false);
  std::size_t blocks = (text.size() + 8) / 64 + 1;
  for (std::size_t b = 0; b < blocks; ++b) {
    std::array<std::uint8_t, 64> block{};
    for (std::size_t i = 0; i < 64; ++i) {
      std::size_t at = b * 64 + i;
      if (at < text.size()) block[i] = static_cast<std::uint8_t>(text[at]);
      if (at == text.size()) block[i] = 0x80;
      if (b + 1 == blocks && i >= 56) {
        block[i] = static_cast<std::uint8_t>((text.size() * 8) >> (8 * (63 - i)));
      }
    }
    detail::sha256_block(state, block);
  }
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<char, 44> out{};
  for (unsigned i = 0; i < 43; ++i) {  // 256 bits are 42 digits and 4 bits
    unsigned value = 0;
    for (unsigned bit = i * 6; bit < i * 6 + 6; ++bit) {
      value = value * 2 + (bit < 256 ? (state[bit / 32] >> (31 - bit % 32)) & 1 : 0);
    }
    out[i] = digits[value];
  }
  out[43] = '=';
  return out;
}

}  // namespace pronghorn::server

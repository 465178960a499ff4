// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/client_hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <netinet/in.h>
#include <random>

namespace pronghorn::master {
namespace {

// J.-P. Aumasson, D. J. Bernstein: SipHash: a fast short-input PRF, section 2.
struct SipState {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void mix(int rounds) noexcept {
    for (int i = 0; i < rounds; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }
  void absorb(std::uint64_t word) noexcept {
    v3 ^= word;
    mix(2);
    v0 ^= word;
  }
};

struct Key {
  std::uint64_t first;
  std::uint64_t second;
};

Key random_key() {
  std::random_device random;
  auto word = [&] { return std::uint64_t{random()} << 32 | random(); };
  return {word(), word()};
}

}  // namespace

std::uint64_t sip_hash(std::uint64_t key0, std::uint64_t key1, std::uint64_t word0,
                       std::uint64_t word1) noexcept {
  SipState state{key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d, key0 ^ 0x6c7967656e657261,
                 key1 ^ 0x7465646279746573};
  state.absorb(word0);
  state.absorb(word1);
  state.absorb(std::uint64_t{16} << 56);  // the length, and no bytes left over
  state.v2 ^= 0xff;
  state.mix(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

Picker::Client client_hash(const sockaddr_storage& address) noexcept {
  static const Key key = random_key();
  std::array<unsigned char, 16> bytes{};
  if (address.ss_family == AF_INET6) {
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  } else if (address.ss_family == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else {
    return std::nullopt;
  }
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), bytes.data(), sizeof words);
  return sip_hash(key.first, key.second, words[0], words[1]);
}

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// Who a client is to the limits that go by its address.
#pragma once

#include <cstdint>
#include <string_view>

namespace pronghorn {

/// A keyed hash of the client's address (ClientTable::key); 0: nobody that is limited.
using ClientKey = std::uint64_t;

/// The name of a place where clients count apart, which is the same text in every process; never 0.
constexpr std::uint64_t client_scope(std::string_view place) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (char c : place) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash | 1;
}

/// The same client where other limits count for it: a listener's, a route's. Scope 0 is the client
/// itself. The key is secret already, so mixing is enough: nobody can choose what collides.
constexpr ClientKey in_scope(ClientKey key, std::uint64_t scope) noexcept {
  if (key == 0 || scope == 0) return key;
  std::uint64_t mixed = key ^ (scope * 0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  return mixed != 0 ? mixed : 1;
}

/// `requests` tokens a second, of which `burst` may be saved up.
struct RequestRate {
  std::uint64_t requests = 0;  ///< a second; 0: no limit
  std::uint64_t burst = 0;     ///< 0: as many as `requests`

  bool is_limited() const noexcept { return requests != 0; }
};

}  // namespace pronghorn

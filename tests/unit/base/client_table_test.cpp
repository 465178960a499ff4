// SPDX-License-Identifier: Apache-2.0
#include "base/client_table.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <numeric>
#include <set>
#include <vector>

using namespace pronghorn;
using namespace std::chrono_literals;
using Entry = ClientCounts::Entry;

namespace {

sockaddr_storage address(const char* text) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else {
    REQUIRE(::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
    storage.ss_family = AF_INET6;
  }
  return storage;
}

/// A table over memory of the test's, as workers share it.
struct Shared {
  explicit Shared(ClientTable::Shape shape)
      : memory(ClientTable::bytes(shape) / sizeof(Page)),
        table(ClientTable::create(memory.data(), shape).value()) {}
  ClientTable attach() {
    return ClientTable::attach(memory.data(), memory.size() * sizeof(Page)).value();
  }
  struct alignas(4096) Page {
    char bytes[4096] = {};
  };
  std::vector<Page> memory;
  ClientTable table;
};

}  // namespace

TEST_CASE("sip hash: the vectors of its authors") {
  // siphash-2-4 of 00 01 02 … under the key 00 01 … 0f (vectors.h of the reference, lengths 8, 16)
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const std::uint64_t words[] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(sip_hash(key, {words, 0}) == 0x726fdb47dd0e0e31);
  CHECK(sip_hash(key, {words, 1}) == 0x93f5f5799a932462);
  CHECK(sip_hash(key, {words, 2}) == 0x3f2acc7f57c29bdb);
}

TEST_CASE("client table: one client is one key, whatever form its address has") {
  auto table = ClientTable::create_private(1024).value();
  auto key = [&](const char* text, unsigned prefix = 64) {
    return table.key(address(text), prefix);
  };
  CHECK(key("192.0.2.1") == key("::ffff:192.0.2.1"));
  CHECK(key("192.0.2.1") != key("192.0.2.2"));
  CHECK(key("::ffff:192.0.2.1") != key("::ffff:192.0.2.2"));
  CHECK(key("2001:db8:0:1::1") == key("2001:db8:0:1:ffff::9"));
  CHECK(key("2001:db8:0:1::1") != key("2001:db8:0:2::1"));
  CHECK(key("2001:db8:0:1::1", 128) != key("2001:db8:0:1::2", 128));
  CHECK(key("2001:db8:0:1::1", 48) == key("2001:db8:0:2::1", 48));
  CHECK(key("2001:db8::1", 1) == key("3fff::1", 1));
  CHECK(key("2001:db8::1", 1) != key("8000::1", 1));
  sockaddr_storage unix_socket{};
  unix_socket.ss_family = AF_UNIX;
  CHECK(table.key(unix_socket, 64) == 0);
}

TEST_CASE("client table: another table hashes otherwise, an attached one alike") {
  Shared shared({.clients = 64, .slots = 2});
  Shared other({.clients = 64, .slots = 2});
  auto attached = shared.attach();
  const auto one = address("192.0.2.1");
  CHECK(attached.key(one, 64) == shared.table.key(one, 64));
  CHECK(other.table.key(one, 64) != shared.table.key(one, 64));
  CHECK(attached.shape().slots == 2);
  auto& page = shared.memory.front();
  CHECK_FALSE(ClientTable::attach(shared.memory.data(), 8).has_value());
  CHECK_FALSE(ClientTable::attach(shared.memory.data(), 2 * 4096).has_value());
  page.bytes[0] ^= 1;
  CHECK_FALSE(ClientTable::attach(shared.memory.data(), shared.memory.size() * 4096).has_value());
}

TEST_CASE("client key: a scope is another client, none is the same, and nobody stays nobody") {
  CHECK(in_scope(7, 0) == 7);
  CHECK(in_scope(7, 1) != 7);
  CHECK(in_scope(7, 1) != in_scope(7, 2));
  CHECK(in_scope(7, 1) != in_scope(8, 1));
  CHECK(in_scope(0, 1) == 0);
}

TEST_CASE("client counts: a client has so many connections in all workers together, and no more") {
  Shared shared({.clients = 64, .slots = 3});
  auto first = shared.attach();
  auto second = shared.attach();
  CHECK(first.connections().enter(0, 9, 3) == Entry::counted);
  CHECK(second.connections().enter(1, 9, 3) == Entry::counted);
  CHECK(second.connections().enter(1, 9, 3) == Entry::counted);
  CHECK(first.connections().enter(0, 9, 3) == Entry::refused);
  CHECK(first.connections().count(9) == 3);
  CHECK(first.connections().enter(0, 1 << 20, 3) == Entry::counted);  // another client
  second.connections().leave(1, 9);
  CHECK(first.connections().enter(0, 9, 3) == Entry::counted);
  CHECK(first.connections().enter(0, 9, 3) == Entry::refused);
}

TEST_CASE("client counts: what a dead worker held is given back, and only that") {
  Shared shared({.clients = 64, .slots = 2});
  auto& counts = shared.table.connections();
  for (ClientKey key : {1ULL << 16, 2ULL << 16, 3ULL << 16}) {
    CHECK(counts.enter(0, key, 9) == Entry::counted);
    CHECK(counts.enter(1, key, 9) == Entry::counted);
  }
  counts.clear(1);
  CHECK(counts.count(1 << 16) == 1);
  counts.clear(0);
  CHECK(counts.count(1 << 16) == 0);
  CHECK(counts.enter(1, 1 << 16, 1) == Entry::counted);
}

TEST_CASE("client counts: a full table lets in uncounted, and finds its room again") {
  Shared shared({.clients = 16, .slots = 1});
  auto& counts = shared.table.connections();
  std::vector<ClientKey> counted;
  ClientKey key = 0;
  for (int uncounted = 0; uncounted < 5; key += 0x10001) {
    auto entry = counts.enter(0, key, 2);
    REQUIRE(entry != Entry::refused);
    if (entry == Entry::counted) counted.push_back(key);
    if (entry == Entry::uncounted) ++uncounted;
  }
  CHECK(counted.size() == 16);
  for (ClientKey each : counted) CHECK(counts.count(each) == 1);
  for (ClientKey each : counted) counts.leave(0, each);
  for (ClientKey each : counted) CHECK(counts.count(each) == 0);
  CHECK(counts.enter(0, key, 2) == Entry::counted);
}

TEST_CASE("client counts: half of the places taken, hardly a client is left uncounted") {
  Shared shared({.clients = 4096, .slots = 1});
  int uncounted = 0;
  for (std::uint64_t i = 1; i <= 2048; ++i) {
    if (shared.table.connections().enter(0, in_scope(i, 1), 1) != Entry::counted) ++uncounted;
  }
  CHECK(uncounted == 0);
}

TEST_CASE("token buckets: the burst at once, then one a token's time, and the wait is told") {
  auto table = ClientTable::create_private(64).value();
  auto& buckets = table.requests();
  const RequestRate rate{.requests = 10, .burst = 3};
  std::chrono::nanoseconds now = 1h;
  for (int i = 0; i < 3; ++i) CHECK(buckets.take(5, rate, now) == 0ns);
  CHECK(buckets.take(5, rate, now) == 100ms);
  CHECK(buckets.take(5, rate, now + 99ms) == 1ms);
  CHECK(buckets.take(6, rate, now) == 0ns);  // another client
  CHECK(buckets.take(5, rate, now + 100ms) == 0ns);
  CHECK(buckets.take(5, rate, now + 100ms) == 100ms);
  // Idle for a day it has saved the burst and not more.
  now += 24h;
  for (int i = 0; i < 3; ++i) CHECK(buckets.take(5, rate, now) == 0ns);
  CHECK(buckets.take(5, rate, now) == 100ms);
}

TEST_CASE("token buckets: without a burst of its own a client may save up one second") {
  auto table = ClientTable::create_private(64).value();
  int taken = 0;
  while (table.requests().take(5, {.requests = 1000, .burst = 0}, 1s) == 0ns) ++taken;
  CHECK(taken == 1000);
}

TEST_CASE(
    "token buckets: over a minute a client gets its rate and its burst, whoever asks for it") {
  Shared shared({.clients = 64, .slots = 2});
  auto other = shared.attach();
  const RequestRate rate{.requests = 7, .burst = 5};
  int taken = 0;
  for (std::chrono::nanoseconds now = 1s; now < 61s; now += 3ms) {
    // The second worker's clock stands still for up to 30 ms: its loop is busy.
    auto late = std::chrono::nanoseconds(now.count() / 30'000'000 * 30'000'000);
    if (shared.table.requests().take(5, rate, now) == 0ns) ++taken;
    if (other.requests().take(5, rate, late) == 0ns) ++taken;
  }
  CHECK(taken >= 60 * 7 + 5 - 1);
  CHECK(taken <= 60 * 7 + 5 + 1);
}

TEST_CASE("token buckets: in a full table the stalest makes room, and nobody inherits its debt") {
  auto table = ClientTable::create_private(8).value();
  auto& buckets = table.requests();
  const RequestRate rate{.requests = 1, .burst = 2};
  // More clients than places, all in debt: each newcomer still has its burst.
  for (ClientKey key = 1; key <= 40; ++key) {
    CAPTURE(key);
    CHECK(buckets.take(key, rate, 1h) == 0ns);
    CHECK(buckets.take(key, rate, 1h) == 0ns);
    CHECK(buckets.take(key, rate, 1h) == 1s);
  }
  // Who asks all the time is not the stalest.
  for (ClientKey key = 100; key <= 200; ++key) {
    std::chrono::nanoseconds now = 2h + std::chrono::seconds(key);
    static_cast<void>(buckets.take(1, rate, now));
    static_cast<void>(buckets.take(1, rate, now));
    CHECK(buckets.take(1, rate, now) > 0ns);
    CHECK(buckets.take(key, rate, now) == 0ns);
  }
}

TEST_CASE("token buckets: rates beyond all measure are only very large") {
  auto table = ClientTable::create_private(64).value();
  const RequestRate rate{.requests = UINT64_MAX, .burst = UINT64_MAX};
  const RequestRate slow{.requests = 1, .burst = UINT64_MAX};
  for (int i = 0; i < 1000; ++i) {
    CHECK(table.requests().take(5, rate, 1h) == 0ns);
    CHECK(table.requests().take(6, slow, 1h) == 0ns);
  }
}

TEST_CASE("token buckets: a rate that was changed holds at once, and shuts nobody out for longer") {
  auto table = ClientTable::create_private(64).value();
  auto& buckets = table.requests();
  // Two workers of different minds about the burst: the debt of a large one is no debt of a small.
  const RequestRate before{.requests = 10, .burst = 200};
  const RequestRate after{.requests = 10, .burst = 2};
  for (int i = 0; i < 200; ++i) CHECK(buckets.take(5, before, 1h) == 0ns);
  CHECK(buckets.take(5, after, 1h) == 100ms);
  CHECK(buckets.take(5, after, 1h + 21s) == 0ns);
}

TEST_CASE("token buckets: nonsense in the memory shuts nobody out for ever") {
  Shared shared({.clients = 8, .slots = 1});
  const RequestRate rate{.requests = 1, .burst = 1};
  CHECK(shared.table.requests().take(5, rate, 1h) == 0ns);
  // What a worker with a stray pointer may do: every word of the buckets is the far future.
  for (auto& page : shared.memory) {
    auto* words = reinterpret_cast<std::int64_t*>(page.bytes);
    for (std::size_t i = 16; i < 512; ++i) {
      if (words[i] > 3'000'000'000'000) words[i] = INT64_MAX - 5'000'000'000;
    }
  }
  CHECK(shared.table.requests().take(5, rate, 1h) > 0ns);
  CHECK(shared.table.requests().take(5, rate, 1h + 2s) == 0ns);
}

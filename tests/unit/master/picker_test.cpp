// SPDX-License-Identifier: Apache-2.0
// The strategies by which connections are handed over, without connections.
#include "master/cluster/picker.h"

#include "master/cluster/client_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <set>
#include <string>
#include <vector>

using namespace pronghorn::master;
using Candidates = std::vector<Picker::Candidate>;
using Picks = std::vector<std::uint64_t>;

namespace {

Candidates all_free(std::uint64_t n) {
  Candidates out;
  for (std::uint64_t id = 1; id <= n; ++id) out.push_back({.id = id, .is_free = true});
  return out;
}

// 0 for one that waits.
Picks picks(Picker& picker, const Candidates& candidates, int n, Picker::Client client = {}) {
  Picks out;
  while (n-- > 0) out.push_back(picker.pick(candidates, client).value_or(0));
  return out;
}

Picker::Client hash_of(const std::string& text, std::uint16_t port = 80) {
  sockaddr_storage address{};
  if (text.contains(':')) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    REQUIRE(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1);
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    REQUIRE(::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1);
  }
  return client_hash(address);
}

}  // namespace

TEST_CASE("round robin: in turn, and 400 over four are a hundred each") {
  auto picker = make_round_robin();
  auto workers = all_free(4);
  CHECK(picks(*picker, workers, 9) == Picks{1, 2, 3, 4, 1, 2, 3, 4, 1});
  std::map<std::uint64_t, int> count;
  for (auto id : picks(*picker, workers, 391)) ++count[id];
  CHECK(count == std::map<std::uint64_t, int>{{1, 97}, {2, 98}, {3, 98}, {4, 98}});
}

TEST_CASE("round robin: a worker that is not free is passed over, and makes up for it") {
  auto picker = make_round_robin();
  auto workers = all_free(3);
  workers[0].is_free = false;
  CHECK(picks(*picker, workers, 5) == Picks{2, 3, 2, 3, 2});
  workers[0].is_free = true;
  CHECK(picks(*picker, workers, 6) == Picks{1, 1, 3, 1, 2, 3});
}

TEST_CASE("round robin: what a worker may make up for is bounded") {
  auto picker = make_round_robin();
  auto workers = all_free(2);
  workers[0].is_free = false;
  picks(*picker, workers, 1000);
  workers[0].is_free = true;
  auto next = picks(*picker, workers, 40);
  CHECK(std::ranges::count(next, 1) - std::ranges::count(next, 2) == 16);
}

TEST_CASE("round robin: nobody is picked when nobody is free or there") {
  auto picker = make_round_robin();
  auto workers = all_free(2);
  for (auto& worker : workers) worker.is_free = false;
  CHECK(picks(*picker, workers, 2) == Picks{0, 0});
  CHECK(picks(*picker, {}, 1) == Picks{0});
}

TEST_CASE("round robin: a newcomer gets its turns and no more, and who leaves leaves no gap") {
  auto picker = make_round_robin();
  auto workers = all_free(2);
  picks(*picker, workers, 100);
  workers.push_back({.id = 3, .is_free = true});
  CHECK(picks(*picker, workers, 6) == Picks{3, 1, 2, 3, 1, 2});
  workers.erase(workers.begin());
  CHECK(picks(*picker, workers, 4) == Picks{3, 2, 3, 2});
}

TEST_CASE("least connections: the one with the fewest, among equals in turn") {
  auto picker = make_least_connections();
  CHECK(picker->counts_connections());
  auto workers = all_free(3);
  CHECK(picks(*picker, workers, 4) == Picks{1, 2, 3, 1});
  workers[0].connections = 5;
  workers[1].connections = 7;
  workers[2].connections = 4;
  CHECK(picks(*picker, workers, 2) == Picks{3, 3});
}

TEST_CASE("least connections: one whose answer is due is waited for, one that is stuck is not") {
  auto picker = make_least_connections();
  auto workers = all_free(2);
  workers[1].connections = 1;
  workers[0].is_free = false;
  workers[0].is_due = true;
  CHECK(picks(*picker, workers, 1) == Picks{0});
  workers[0].connections = 1;  // no fewer than the one that is free
  CHECK(picks(*picker, workers, 1) == Picks{2});
  workers[0].connections = 0;
  workers[0].is_due = false;
  CHECK(picks(*picker, workers, 1) == Picks{2});
}

TEST_CASE("sticky: a client stays with its worker while that one is there") {
  auto picker = make_sticky(make_round_robin());
  CHECK(picker->is_client_bound());
  CHECK_FALSE(picker->counts_connections());
  auto workers = all_free(3);
  CHECK(picks(*picker, workers, 3, 7) == Picks{1, 1, 1});
  CHECK(picks(*picker, workers, 3, 8) == Picks{2, 2, 2});
  workers[0].is_free = false;
  CHECK(picks(*picker, workers, 2, 7) == Picks{0, 0});
  CHECK(picks(*picker, workers, 1, 9) == Picks{3});
  workers.erase(workers.begin());
  CHECK(picks(*picker, workers, 2, 7) == Picks{2, 2});
  workers.insert(workers.begin(), {.id = 1, .is_free = true});
  CHECK(picks(*picker, workers, 2, 7) == Picks{2, 2});
}

TEST_CASE("sticky: who has no address is not bound to a worker") {
  auto picker = make_sticky(make_round_robin());
  CHECK(picks(*picker, all_free(3), 4) == Picks{1, 2, 3, 1});
  CHECK(make_sticky(make_least_connections())->counts_connections());
}

TEST_CASE("client hash: SipHash-2-4 as its authors publish it") {
  // Appendix A's key 00…0f; of the published vectors the one of 16 bytes.
  CHECK(sip_hash(0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x0706050403020100, 0x0f0e0d0c0b0a0908) ==
        0x3f2acc7f57c29bdb);
}

TEST_CASE("client hash: by address and not by port, and a v4-mapped address is the IPv4 one") {
  CHECK(hash_of("10.0.0.1", 1000) == hash_of("10.0.0.1", 2000));
  CHECK(hash_of("10.0.0.1") == hash_of("::ffff:10.0.0.1"));
  CHECK(hash_of("10.0.0.1") != hash_of("10.0.0.2"));
  CHECK(hash_of("2001:db8::1") != hash_of("2001:db8::2"));
  sockaddr_storage other{};
  other.ss_family = AF_UNIX;
  CHECK_FALSE(client_hash(other).has_value());
}

TEST_CASE("client hash: neighbours fall into many buckets") {
  std::set<std::uint64_t> buckets;
  for (int i = 0; i < 256; ++i) {
    buckets.insert(*hash_of("2001:db8::" + std::to_string(i)) % 4096);
  }
  CHECK(buckets.size() > 200);  // 248 are expected
}

// SPDX-License-Identifier: Apache-2.0
// least_connections and stickiness over real connections; draining.
#include "tests/unit/master/hand_over_rig.h"

#include <algorithm>

using namespace pronghorn;
using namespace pronghorn::test;
using master::make_least_connections;
using master::make_round_robin;
using master::make_sticky;

namespace {

/// Workers that count what they have open, as ours do: before they answer.
struct LeastRig : HandOverRig {
  LeastRig() : HandOverRig(make_least_connections()) {}
  auto& open_of(std::uint64_t id) {
    return board.slot(static_cast<std::uint32_t>(id - 1)).counters.connections;
  }
  void take(std::uint64_t id) {
    if ((*this)[id].unanswered.empty()) return;
    open_of(id).add(1);
    (*this)[id].reply(true);
  }
  std::uint64_t spread() {
    std::vector<std::uint64_t> open;
    for (auto& [id, worker] : workers) open.push_back(open_of(id).get());
    auto [least, most] = std::ranges::minmax(open);
    return most - least;
  }
};

}  // namespace

TEST_CASE("least connections: a burst of 400 is even within one, also with workers of any pace") {
  LeastRig rig;
  for (std::uint64_t id : {1, 2, 3, 4}) rig.add(id);
  for (int i = 0; i < 400; ++i) rig.connect();
  unsigned turn = 0;
  REQUIRE(rig.wait([&] {
    // In an order that changes, one up to eight times before the next.
    for (int i = 0; i < 16; ++i) {
      turn = turn * 1103515245 + 12345;
      for (unsigned n = 0; n <= (turn >> 20) % 8; ++n) rig.take((turn >> 16) % 4 + 1);
    }
    for (std::uint64_t id : {1, 2, 3, 4}) rig.take(id);
    return rig.totals.handed_over == 400;
  }));
  CHECK(rig.spread() <= 1);
}

TEST_CASE("least connections: a trickle evens out what others have closed") {
  LeastRig rig;
  for (std::uint64_t id : {1, 2, 3, 4}) rig.add(id);
  rig.open_of(2).set(10);
  rig.open_of(4).set(3);
  for (std::uint64_t i = 1; i <= 27; ++i) {
    rig.connect();
    REQUIRE(rig.wait([&] {
      for (std::uint64_t id : {1, 2, 3, 4}) rig.take(id);
      return rig.totals.handed_over == i;
    }));
  }
  for (std::uint64_t id : {1, 2, 3, 4}) CHECK(rig.open_of(id).get() == 10);
}

TEST_CASE("least connections: one slow worker stalls nobody for long") {
  LeastRig rig;
  for (std::uint64_t id : {1, 2}) rig.add(id);
  rig.open_of(2).set(5);
  rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
  rig.connect();
  SUBCASE("it is waited for, but not longer than 20 ms") {
    const auto start = uv_hrtime();
    REQUIRE(rig.wait_asked(2, 1));
    CHECK(uv_hrtime() - start >= 9'000'000);  // of the 20, some may be over
  }
  SUBCASE("it is not waited for any more once it is suspect") {
    rig.settle();
    rig[1].member.set_suspect(true);
    rig.server->suspicion_changed(rig[1].member);
    CHECK(rig[2].asked == 1);
  }
  SUBCASE("one that refuses is not waited for") {
    rig[1].reply(false);
    CHECK(rig[2].asked == 1);
  }
}

TEST_CASE("least connections: what is on its way to a worker from another server counts as well") {
  LeastRig rig;
  std::uint16_t port = 0;
  const UniqueFd listener = bound_socket(511, &port);
  auto other = HandOver::open(rig.loop, {.listener = listener.get(),
                                         .key = "another key",
                                         .picker = make_least_connections(),
                                         .board = &rig.board,
                                         .totals = &rig.totals})
                   .value();
  for (std::uint64_t id : {1, 2}) other->joined(rig.add(id).member);
  rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
  const UniqueFd client = connect_to(port);
  REQUIRE(rig.wait([&] { return rig[1].asked + rig[2].asked == 2; }));
  CHECK(rig[2].asked == 1);
}

TEST_CASE("least connections: a worker without counters is refused") {
  LeastRig rig;
  FakeWorker node(7, std::nullopt, rig.next_seq);
  CHECK(rig.server->join(node.member).error == ENOTSUP);
}

TEST_CASE("sticky: one connection is held to see whose it is, also if none may wait") {
  HandOverRig rig(make_sticky(make_round_robin()), 0);
  rig.add(1);
  rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
}

TEST_CASE("sticky: the clients of a worker that does not answer are another's after a while") {
  HandOverRig rig(make_sticky(make_round_robin()), 1, Millis(100));
  for (std::uint64_t id : {1, 2}) rig.add(id);
  rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
  rig.connect();
  const auto begun = uv_hrtime();
  REQUIRE(rig.wait_asked(2, 1));
  CHECK(uv_hrtime() - begun >= 50'000'000);
  rig[2].reply(true);
  // What it has in hand stays its own.
  rig[1].reply(true);
  CHECK(rig[1].asked == 1);
  CHECK(rig.totals.handed_over == 2);
}

TEST_CASE("sticky: a client's connections reach the same worker from any port") {
  HandOverRig rig(make_sticky(make_round_robin()));
  for (std::uint64_t id : {1, 2, 3}) rig.add(id);
  std::map<unsigned char, std::uint64_t> whose;
  for (unsigned char round = 0; round < 4; ++round) {
    for (unsigned char from = 1; from <= 6; ++from) {
      CAPTURE(from);
      rig.connect(from);
      std::uint64_t got = 0;
      REQUIRE(rig.wait([&] {
        for (auto& [id, worker] : rig.workers) {
          if (!worker->unanswered.empty()) got = id;
        }
        return got != 0;
      }));
      rig[got].reply(true);
      if (round == 0) whose[from] = got;
      CHECK(whose[from] == got);
    }
  }
  CHECK(std::ranges::count(whose, 1, [](auto& entry) { return entry.second; }) < 6);
}

TEST_CASE("sticky: who waits for a busy worker holds back nobody else") {
  HandOverRig rig(make_sticky(make_round_robin()));
  rig.add(1);
  rig.add(2);
  rig.connect(1);
  REQUIRE(rig.wait_asked(1, 1));
  for (int i = 0; i < 3; ++i) rig.connect(1);
  for (int i = 1; i <= 3; ++i) {
    rig.connect(2);
    REQUIRE(rig.wait_asked(2, i));
    rig[2].reply(true);
  }
  CHECK(rig[1].asked == 1);
  CHECK(rig.server->waiting() == 4);
}

TEST_CASE("sticky: those who wait for their worker are bounded, and keep their order") {
  HandOverRig rig(make_sticky(make_round_robin()), 3);
  rig.add(1);
  rig.add(2);
  rig.connect(1);
  REQUIRE(rig.wait_asked(1, 1));
  rig.connect(2);
  REQUIRE(rig.wait_asked(2, 1));
  rig[2].reply(true);
  // The first client's next ones wait for worker 1, up to max_waiting.
  std::vector<UniqueFd> again;
  for (int i = 0; i < 5; ++i) again.push_back(connect_to(rig.port, 1));
  REQUIRE(rig.wait([&] { return rig.server->waiting() == 4; }));
  rig.settle();
  CHECK(rig.server->waiting() == 4);  // one in hand, three held
  for (int i = 0; i < 5; ++i) write_to(again[static_cast<std::size_t>(i)], std::to_string(i));
  rig[1].reply(true);
  SUBCASE("in their order") {
    for (int i = 0; i < 5; ++i) {
      REQUIRE(rig.wait([&] { return !rig[1].unanswered.empty(); }));
      CHECK(read_from(rig[1].unanswered.front().socket) == std::to_string(i));
      rig[1].reply(true);
    }
    CHECK(rig[2].asked == 1);
  }
  SUBCASE("another worker gets them when theirs dies") {
    rig.die(1);
    CHECK(rig[2].asked == 2);
  }
  SUBCASE("another worker gets them when theirs is suspect") {
    rig[1].member.set_suspect(true);
    rig.server->suspicion_changed(rig[1].member);
    CHECK(rig[2].asked == 2);
  }
}

TEST_CASE("drain: all that is queued is handed over before it is told") {
  HandOverRig rig;
  rig.add(1);
  rig.add(2);
  for (int i = 0; i < 20; ++i) rig.connect();
  int done = 0;
  rig.server->drain([&] { ++done; });
  REQUIRE(rig.wait([&] {
    CHECK((done == 0 || rig.totals.handed_over == 20));
    for (auto& [id, worker] : rig.workers) {
      if (!worker->unanswered.empty()) worker->reply(true);
    }
    return done > 0;
  }));
  CHECK(rig.totals.handed_over == 20);
  rig.server->drain([&] { ++done; });  // at once: nothing is there
  CHECK(done == 2);
  rig.connect();
  rig.server->drain([&] { ++done; });
  CHECK(done == 2);
  REQUIRE(rig.wait([&] { return rig[1].unanswered.size() + rig[2].unanswered.size() == 1; }));
  for (auto& [id, worker] : rig.workers) {
    if (!worker->unanswered.empty()) worker->reply(true);
  }
  CHECK(done == 3);
}

TEST_CASE("drain: it ends when nobody is left to take anything") {
  HandOverRig rig;
  rig.add(1);
  for (int i = 0; i < 3; ++i) rig.connect();
  bool done = false;
  rig.server->drain([&] {
    done = true;
    rig.server.reset();
  });
  rig.settle();
  CHECK_FALSE(done);
  SUBCASE("it dies") { rig.die(1); }
  SUBCASE("it leaves, and answers") {
    rig.server->leave(rig[1].member, false);
    CHECK_FALSE(done);
    rig[1].reply(true);
  }
  CHECK(done);
  rig.settle();
}

TEST_CASE("drain: without a member it is told at once") {
  HandOverRig rig;
  rig.connect();
  bool done = false;
  rig.server->drain([&] { done = true; });
  CHECK(done);
}

// SPDX-License-Identifier: Apache-2.0
// Handing connections over: who gets what, and what waits where.
#include "tests/unit/master/hand_over_rig.h"

#include <sys/resource.h>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("hand over: a worker gets the connection with Node's newconn") {
  HandOverRig rig;
  auto& worker = rig.add(1);
  auto& client = rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
  CHECK(worker.texts.front() ==
        R"({"cmd":"NODE_CLUSTER","act":"newconn","key":"the key","seq":0})");
  CHECK(rig.server->waiting() == 1);
  worker.reply(true);
  CHECK(rig.server->waiting() == 0);
  CHECK(rig.totals.handed_over == 1);
  write_to(client, "ping");
  CHECK(read_from(worker.taken.front()) == "ping");
  worker.taken.clear();  // the last descriptor: the primary has closed its own
  CHECK(read_from(client).empty());
}

TEST_CASE("hand over: round robin gives each of four workers a hundred of 400, one at a time") {
  HandOverRig rig;
  for (std::uint64_t id : {1, 2, 3, 4}) rig.add(id);
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 400; ++i) {
    rig.clients.clear();
    rig.connect();
    auto whose = [&]() -> FakeWorker* {
      for (auto& [id, worker] : rig.workers) {
        if (!worker->unanswered.empty()) return worker.get();
      }
      return nullptr;
    };
    REQUIRE(rig.wait([&] { return whose() != nullptr; }));
    order.push_back(whose()->member.id());
    whose()->reply(true);
  }
  for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(order[i] == i % 4 + 1);
}

TEST_CASE("hand over: a burst of 400 is even within one, and nobody has two unanswered") {
  HandOverRig rig;
  for (std::uint64_t id : {1, 2, 3, 4}) rig.add(id);
  for (int i = 0; i < 400; ++i) rig.connect();
  int turn = 0;
  auto all_taken = [&] {
    ++turn;
    for (auto& [id, worker] : rig.workers) {
      const bool is_slow = id == 3 && turn % 3 != 0;
      if (!is_slow && !worker->unanswered.empty()) worker->reply(true);
    }
    return rig.totals.handed_over == 400;
  };
  REQUIRE(rig.wait(all_taken));
  for (auto& [id, worker] : rig.workers) {
    CAPTURE(id);
    CHECK(worker->in_hand_at_most == 1);
    if (id != 3) CHECK(worker->taken.size() >= 100);
  }
}

TEST_CASE("hand over: while all are busy connections stay in the kernel's queue") {
  HandOverRig rig;
  rig.add(1);
  rig.add(2);
  for (int i = 0; i < 5; ++i) rig.connect();
  REQUIRE(rig.wait([&] { return rig.server->waiting() == 2; }));
  rig.settle();
  CHECK(rig.server->waiting() == 2);
  rig[1].reply(true);
  rig.settle();
  CHECK(rig[1].asked == 2);
  CHECK(rig.server->waiting() == 2);
}

TEST_CASE("hand over: a refused connection goes to another, before those that came later") {
  HandOverRig rig;
  rig.add(1);
  rig.add(2);
  auto& first = rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
  auto& second = rig.connect();
  REQUIRE(rig.wait_asked(2, 1));
  rig.connect();
  rig.settle();
  rig[1].reply(false);
  CHECK(rig.totals.refused == 1);
  rig[2].reply(true);
  REQUIRE(rig[2].asked == 2);
  rig[2].reply(true);
  write_to(first, "first");
  write_to(second, "second");
  CHECK(read_from(rig[2].taken[0]) == "second");
  CHECK(read_from(rig[2].taken[1]) == "first");
  REQUIRE(rig.wait([&] { return rig[1].asked + rig[2].asked == 4; }));
}

TEST_CASE("hand over: while everybody refuses the primary waits, and does not spin") {
  HandOverRig rig;
  rig.add(1);
  rig.add(2);
  rig.connect();
  auto cpu = [] {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000 +
           used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000;
  };
  const auto before = cpu();
  const std::uint64_t until = uv_hrtime() + 500'000'000;
  CHECK(rig.wait([&] {
    for (auto& [id, worker] : rig.workers) {
      if (!worker->unanswered.empty()) worker->reply(false);
    }
    return uv_hrtime() >= until;
  }));
  // 2 % are 10 ms; Node burns 210. The test's own 10 ms tick is in it.
  CHECK(cpu() - before <= 10);
  // After 10, 20, 40 … ms each.
  CHECK(rig[1].asked >= 4);
  CHECK(rig[1].asked + rig[2].asked <= 14);
  CHECK(rig.server->waiting() == 1);
}

TEST_CASE("hand over: an acceptance ends the back-off") {
  HandOverRig rig;
  auto& worker = rig.add(1);
  rig.connect();
  for (int i = 0; i < 5; ++i) {
    REQUIRE(rig.wait([&] { return !worker.unanswered.empty(); }));
    worker.reply(false);
  }
  REQUIRE(rig.wait([&] { return !worker.unanswered.empty(); }));
  worker.reply(true);
  rig.connect();
  REQUIRE(rig.wait([&] { return !worker.unanswered.empty(); }));
  worker.reply(false);
  const auto start = uv_hrtime();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(rig.wait([&] { return !worker.unanswered.empty(); }));
    worker.reply(false);
  }
  REQUIRE(rig.wait([&] { return !worker.unanswered.empty(); }));
  CHECK(uv_hrtime() - start >= 140'000'000);  // 10, 20, 40 and 80 ms
  CHECK(uv_hrtime() - start < 900'000'000);   // without the reset four times 250
}

TEST_CASE("hand over: without a member nothing is accepted, and the loop ends") {
  HandOverRig rig;
  auto& client = rig.connect();
  rig.loop.run();  // returns
  CHECK(rig.server->waiting() == 0);
  rig.add(1);
  REQUIRE(rig.wait_asked(1, 1));
  rig[1].reply(true);
  write_to(client, "still here");
  CHECK(read_from(rig[1].taken.front()) == "still here");
  rig.die(1);
  CHECK(rig.server->members() == 0);
  rig.connect();
  rig.loop.run();
}

TEST_CASE("hand over: a worker whose channel is closed is passed over") {
  HandOverRig rig;
  rig.add(1).fails = Error(Errc::ipc_channel_closed, "closed");
  rig.add(2);
  rig.connect();
  REQUIRE(rig.wait_asked(2, 1));
  rig[2].reply(true);
  rig.connect();
  REQUIRE(rig.wait_asked(2, 2));
  CHECK(rig[1].asked == 1);
  CHECK(rig.totals.recovered == 0);  // it never was with the other
}

TEST_CASE("hand over: a connection that cannot be sent now is kept, and sent later") {
  HandOverRig rig;
  auto& worker = rig.add(1);
  worker.fails = Error::system(EMFILE, "cannot duplicate a socket");
  rig.connect();
  REQUIRE(rig.wait_asked(1, 2));
  const auto first = uv_hrtime();
  REQUIRE(rig.wait_asked(1, 3));
  CHECK(uv_hrtime() - first >= 90'000'000);
  worker.fails.reset();
  REQUIRE(rig.wait([&] { return !worker.unanswered.empty(); }));
  CHECK(rig.server->waiting() == 1);
}

TEST_CASE("hand over: a worker that could not take the descriptor has refused") {
  HandOverRig rig;
  rig.add(1);
  rig.add(2);
  rig.connect();
  REQUIRE(rig.wait_asked(1, 1));
  auto on_lost = rig[1].unanswered.front().on_lost;
  rig[1].unanswered.clear();
  on_lost();
  CHECK(rig[2].asked == 1);
  CHECK(rig.totals.refused == 1);
  on_lost();
  CHECK(rig.totals.refused == 1);
  rig.server.reset();
  on_lost();
}

TEST_CASE("hand over: out of descriptors it rests, and goes on") {
  HandOverRig rig;
  rig.add(1);
  auto& client = rig.connect();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  std::vector<UniqueFd> filling;
  for (int fd = 0; (fd = ::dup(0)) >= 0 && fd < 200;) filling.emplace_back(fd);
  const int highest = filling.back().get();
  rlimit few{static_cast<rlim_t>(highest + 1), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  rig.run_for(30);
  CHECK(rig.server->waiting() == 0);
  filling.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(rig.wait_asked(1, 1));
  rig[1].reply(true);
  write_to(client, "late");
  CHECK(read_from(rig[1].taken.front()) == "late");
}

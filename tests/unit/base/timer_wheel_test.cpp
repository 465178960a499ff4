// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

using pronghorn::TimerWheel;
using pronghorn::WheelEntry;

namespace {

std::vector<WheelEntry*> fired(TimerWheel& wheel, std::int64_t now_ms) {
  std::vector<WheelEntry*> out;
  wheel.advance(now_ms, [&](WheelEntry& entry) { out.push_back(&entry); });
  return out;
}

}  // namespace

TEST_CASE("timer wheel: an entry fires once, never before its deadline, at most a tick after") {
  for (std::int64_t deadline : {1001, 1050, 1100, 1101, 52'199, 52'200, 52'201, 200'000}) {
    TimerWheel wheel(1000);
    WheelEntry entry;
    wheel.set(entry, deadline);
    for (std::int64_t now = 1000; now < deadline; ++now) REQUIRE(fired(wheel, now).empty());
    std::int64_t now = deadline;
    while (fired(wheel, now).empty() && now < deadline + 1000) ++now;
    CHECK(now - deadline < TimerWheel::kTickMs);
    CHECK_FALSE(entry.is_set());
    CHECK(wheel.empty());
    CHECK(fired(wheel, deadline + 300'000).empty());
  }
}

TEST_CASE("timer wheel: a deadline that has passed fires within a tick") {
  TimerWheel wheel(10'000);
  WheelEntry entry;
  wheel.set(entry, 3);
  CHECK(fired(wheel, 10'100).size() == 1);
}

TEST_CASE(
    "timer wheel: a deadline moved later waits for the later one, moved earlier for the earlier") {
  TimerWheel wheel(0);
  WheelEntry entry;
  wheel.set(entry, 1000);
  wheel.set(entry, 5000);
  CHECK(fired(wheel, 4999).empty());
  wheel.set(entry, 9000);
  wheel.set(entry, 5500);
  CHECK(fired(wheel, 5499).empty());
  CHECK(fired(wheel, 5500).size() == 1);
}

TEST_CASE("timer wheel: after a long sleep everything that is due fires at once, the rest stays") {
  TimerWheel wheel(0);
  std::array<WheelEntry, 700> entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    wheel.set(entries[i], static_cast<std::int64_t>(i) * 1000);
  }
  CHECK(fired(wheel, 500'000).size() == 501);
  CHECK(fired(wheel, 699'000).size() == 199);
}

TEST_CASE("timer wheel: an entry or the wheel may go first") {
  auto wheel = std::make_unique<TimerWheel>(0);
  WheelEntry stays;
  {
    WheelEntry goes;
    wheel->set(goes, 100);
    wheel->set(stays, 100);
  }
  CHECK(fired(*wheel, 200) == std::vector{&stays});
  wheel->set(stays, 300);
  wheel.reset();
  CHECK_FALSE(stays.is_set());
}

TEST_CASE("timer wheel: the callback may destroy, cancel and set entries of the same tick") {
  TimerWheel wheel(0);
  auto a = std::make_unique<WheelEntry>();
  auto b = std::make_unique<WheelEntry>();
  WheelEntry c;
  WheelEntry d;
  for (WheelEntry* e : {a.get(), b.get(), &c, &d}) wheel.set(*e, 100);
  int calls = 0;
  wheel.advance(100, [&](WheelEntry& entry) {
    ++calls;
    CHECK(&entry == a.get());
    a.reset();
    b.reset();
    c.cancel();
    wheel.set(d, 250);
  });
  CHECK(calls == 1);
  CHECK(fired(wheel, 200).empty());
  CHECK(fired(wheel, 300) == std::vector{&d});
}

TEST_CASE(
    "timer wheel: all that are set are found, those that are due and not called yet as well") {
  TimerWheel wheel(0);
  std::array<WheelEntry, 4> entries;
  auto [first, second, later, unset] =
      std::array{&entries[0], &entries[1], &entries[2], &entries[3]};
  CHECK(wheel.any() == nullptr);
  wheel.set(*first, 100);
  wheel.set(*second, 100);
  wheel.set(*later, 10'000);
  auto found = [&] {
    std::vector<WheelEntry*> all;
    wheel.for_each([&](WheelEntry& entry) { all.push_back(&entry); });
    std::ranges::sort(all);
    return all;
  };
  CHECK(found() == std::vector{first, second, later});
  bool is_first = true;
  wheel.advance(100, [&](WheelEntry& entry) {
    CHECK(&entry == (is_first ? first : second));
    CHECK(found() == (is_first ? std::vector{second, later} : std::vector{later}));
    CHECK(wheel.any() != nullptr);
    is_first = false;
  });
  wheel.for_each([&](WheelEntry& entry) { wheel.set(entry, 200); });
  CHECK(found() == std::vector{later});
  CHECK(fired(wheel, 200) == std::vector{later});
  CHECK(wheel.any() == nullptr);
  CHECK_FALSE(unset->is_set());
}

TEST_CASE(
    "timer wheel: a walk ends although each that is set is set anew, to a time that has passed") {
  TimerWheel wheel(1'000);
  std::array<WheelEntry, 3> entries;
  for (WheelEntry& entry : entries) wheel.set(entry, 200);
  int calls = 0;
  wheel.for_each([&](WheelEntry& entry) {
    if (++calls <= 100) wheel.set(entry, 100);
  });
  CHECK(calls == 3);
  CHECK(fired(wheel, 1'100).size() == 3);
}

TEST_CASE("timer wheel: a deadline beyond all times is none, and can be moved") {
  TimerWheel wheel(1'000'000);
  WheelEntry entry;
  wheel.set(entry, std::numeric_limits<std::int64_t>::max() / 4);
  CHECK(fired(wheel, 400'000'000'000).empty());  // 12 years
  CHECK(entry.is_set());
  wheel.set(entry, 400'000'000'100);
  CHECK(fired(wheel, 400'000'000'100) == std::vector{&entry});
}

TEST_CASE("timer wheel: random sets, moves, cancels and jumps agree with a simple model") {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937 random(seed);
    auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<unsigned>(n));
    };
    std::int64_t now = below(1'000'000);
    TimerWheel wheel(now);
    std::array<WheelEntry, 50> entries;
    struct Due {
      std::int64_t deadline;
      std::int64_t tick;  // when it must have fired
    };
    auto last_tick = [](std::int64_t ms) {
      return (ms + TimerWheel::kTickMs - 1) / TimerWheel::kTickMs;
    };
    std::map<WheelEntry*, Due> model;
    for (int step = 0; step < 2000; ++step) {
      WheelEntry& entry = entries[static_cast<std::size_t>(below(50))];
      if (below(10) == 0) {
        entry.cancel();
        model.erase(&entry);
      } else {
        std::int64_t deadline = now + (below(20) == 0 ? below(200'000) : below(3000)) - 50;
        wheel.set(entry, deadline);
        model[&entry] = {deadline, std::max(last_tick(deadline), now / TimerWheel::kTickMs + 1)};
      }
      now += below(100) == 0 ? below(120'000) : below(150);
      wheel.advance(now, [&](WheelEntry& e) {
        REQUIRE(model.contains(&e));
        REQUIRE(model[&e].deadline <= now);
        model.erase(&e);
      });
      for (const auto& [e, due] : model) {
        REQUIRE(e->is_set());
        REQUIRE(due.tick > now / TimerWheel::kTickMs);
      }
      REQUIRE(wheel.empty() == model.empty());
    }
  }
}

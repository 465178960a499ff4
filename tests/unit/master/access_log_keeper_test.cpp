// SPDX-License-Identifier: Apache-2.0
#include "master/access_log_keeper.h"

#include "master/log_drops.h"
#include "support.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <map>

using namespace pronghorn;
using namespace pronghorn::master;
using namespace std::chrono_literals;
using test::run_until;

namespace {

struct Rig {
  test::Folder folder;
  Loop loop;
  std::string path = folder / "access.log";
  std::string refused;                          // why opening fails
  std::map<std::uint32_t, std::uint32_t> told;  // slot: number
  int switched = 0, tells = 0;
  std::vector<ReopenOutcome> outcomes;
  AccessLogKeeper keeper;

  explicit Rig(Millis patience = 5'000ms)
      : keeper(loop, AccessLogFile{.path = path, .fd = open(), .open = [this] { return again(); }},
               patience) {}
  UniqueFd open() const { return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT, 0600)); }
  Result<UniqueFd> again() const {
    if (!refused.empty()) return std::unexpected(Error(refused));
    return open();
  }
  AccessLogKeeper::Writer writer(std::uint32_t slot, const char* error = "") {
    return {.slot = slot,
            .pid = static_cast<int>(100 + slot),
            .id = slot + 1,
            .tell = [this, slot, error](int fd, std::uint32_t number) -> Result<void> {
              CHECK(fd == keeper.fd());
              CHECK(switched > 0);
              told[slot] = number;
              ++tells;
              if (*error != 0) return std::unexpected(Error(error));
              return {};
            }};
  }
  void reopen(std::vector<AccessLogKeeper::Writer> writers) {
    keeper.reopen([this] { ++switched; }, std::move(writers),
                  [this](const ReopenOutcome& outcome) { outcomes.push_back(outcome); });
  }
};

}  // namespace

TEST_CASE("log keeper: a file that is moved, removed or replaced is seen") {
  Rig rig;
  CHECK_FALSE(rig.keeper.is_moved());
  std::filesystem::rename(rig.path, rig.folder / "old");
  CHECK(rig.keeper.is_moved());
  rig.open();
  CHECK(rig.keeper.is_moved());
  rig.reopen({});
  CHECK_FALSE(rig.keeper.is_moved());
  std::filesystem::remove(rig.path);
  CHECK(rig.keeper.is_moved());
}

TEST_CASE("log keeper: what is no regular file, or has no way to be opened, never moves") {
  Rig rig;
  AccessLogKeeper device(rig.loop, {.path = "/nowhere",
                                    .fd = UniqueFd(::open("/dev/null", O_WRONLY)),
                                    .open = [&] { return rig.again(); }});
  CHECK_FALSE(device.is_moved());
  AccessLogKeeper none(rig.loop, {.path = "off", .fd = {}, .open = {}});
  CHECK_FALSE(none.is_moved());
  CHECK_FALSE(none.can_reopen());
  ReopenOutcome outcome{.path = "x", .error = {}, .workers = {}};
  none.reopen([] { CHECK(false); }, {}, [&](const ReopenOutcome& o) { outcome = o; });
  CHECK(outcome == ReopenOutcome{});
}

TEST_CASE("log keeper: done comes when every worker has confirmed, with the new file open first") {
  Rig rig;
  rig.reopen({rig.writer(0), rig.writer(3)});
  CHECK(rig.outcomes.empty());
  rig.keeper.confirmed(4, rig.told[3], "");
  CHECK(rig.outcomes.empty());
  rig.keeper.confirmed(1, rig.told[0] + 1, "");  // another reopening's
  rig.keeper.confirmed(9, rig.told[0], "");      // nobody
  CHECK(rig.outcomes.empty());
  rig.keeper.confirmed(1, rig.told[0], "");
  REQUIRE(rig.outcomes.size() == 1);
  CHECK(rig.outcomes[0].is_complete());
  CHECK(rig.outcomes[0].workers[1].slot == 4);
  CHECK(rig.outcomes[0].workers[1].pid == 103);
  rig.keeper.confirmed(1, rig.told[0], "");
  CHECK(rig.outcomes.size() == 1);
}

TEST_CASE("log keeper: a new file that cannot be opened leaves the old one in use") {
  Rig rig;
  rig.refused = "no";
  const int before = rig.keeper.fd();
  rig.reopen({rig.writer(0)});
  REQUIRE(rig.outcomes.size() == 1);
  CHECK(rig.outcomes[0].error == "no");
  CHECK_FALSE(rig.outcomes[0].is_complete());
  CHECK(rig.keeper.fd() == before);
  CHECK(rig.told.empty());
  CHECK(rig.switched == 0);
}

TEST_CASE("log keeper: who is late, refuses, or cannot be told is named") {
  Rig rig(20ms);
  rig.reopen({rig.writer(0), rig.writer(1, "channel closed"), rig.writer(2)});
  rig.keeper.confirmed(3, rig.told[2], "no descriptors");
  REQUIRE(run_until(rig.loop, [&] { return !rig.outcomes.empty(); }));
  const auto& workers = rig.outcomes[0].workers;
  CHECK(rig.outcomes[0].confirmed() == 0);
  CHECK(workers[0].error.empty());
  CHECK(workers[1].error == "channel closed");
  CHECK(workers[2].error == "no descriptors");
  rig.keeper.confirmed(1, rig.told[0], "");  // too late
  CHECK(rig.outcomes.size() == 1);
}

TEST_CASE("log keeper: a worker that dies is waited for no longer") {
  Rig rig;
  rig.reopen({rig.writer(0), rig.writer(1)});
  rig.keeper.confirmed(1, rig.told[0], "");
  rig.keeper.left(7);
  CHECK(rig.outcomes.empty());
  rig.keeper.left(2);
  REQUIRE(rig.outcomes.size() == 1);
  CHECK(rig.outcomes[0].is_complete());
  CHECK(rig.outcomes[0].workers.size() == 1);
}

TEST_CASE("log keeper: who asks again gives a worker that stands still no more time") {
  Rig rig(30ms);
  int asked = 0;
  run_until(rig.loop, [&] {
    if (rig.outcomes.empty() && asked < 1'000'000) {
      ++asked;
      rig.reopen({rig.writer(0)});
    }
    return !rig.outcomes.empty();
  });
  REQUIRE_FALSE(rig.outcomes.empty());
  CHECK(asked > 1);
  CHECK_FALSE(rig.outcomes.front().is_complete());
  CHECK(rig.tells == 1);
  // Those who asked later have their own time, and an answer.
  run_until(rig.loop, [&] { return rig.outcomes.size() == static_cast<std::size_t>(asked); });
  CHECK(rig.outcomes.size() == static_cast<std::size_t>(asked));
}

TEST_CASE("log keeper: a second reopening takes over from the first") {
  Rig rig;
  rig.reopen({rig.writer(0)});
  const auto first = rig.told[0];
  rig.reopen({rig.writer(0)});
  rig.keeper.confirmed(1, first, "");
  CHECK(rig.outcomes.empty());
  rig.keeper.confirmed(1, rig.told[0], "");
  CHECK(rig.outcomes.size() == 2);
}

TEST_CASE(
    "log keeper: a worker that stands still is sent one file, and the latest when it goes on") {
  Rig rig(20ms);
  for (int i = 0; i < 100; ++i) rig.reopen({rig.writer(0), rig.writer(1)});
  CHECK(rig.tells == 2);
  const auto first = rig.told[0];
  SUBCASE("it goes on") {
    rig.keeper.confirmed(1, first, "");
    CHECK(rig.tells == 3);
    CHECK(rig.told[0] == first + 99);
    rig.keeper.confirmed(1, rig.told[0], "");
    rig.keeper.confirmed(2, first, "");
    CHECK(rig.outcomes.empty());
    rig.keeper.confirmed(2, rig.told[1], "");
    REQUIRE(rig.outcomes.size() == 100);
    CHECK(rig.outcomes[99].is_complete());
  }
  SUBCASE("it goes on after its time") {
    rig.keeper.confirmed(2, first, "");
    rig.keeper.confirmed(2, rig.told[1], "");
    REQUIRE(run_until(rig.loop, [&] { return !rig.outcomes.empty(); }));
    CHECK(rig.outcomes[0].confirmed() == 1);
    rig.keeper.confirmed(1, first, "");
    CHECK(rig.told[0] == first + 99);
  }
  SUBCASE("it dies") {
    rig.keeper.left(1);
    rig.keeper.confirmed(1, first, "");
    CHECK(rig.tells == 2);
  }
}

TEST_CASE("log drops: a loss is told when it begins and when it has ended") {
  using Change = LogDrops::Change;
  LogDrops drops;
  CHECK(drops.look(10, 0) == Change::none);
  CHECK(drops.look(10, 3) == Change::begun);
  CHECK(drops.look(10, 5) == Change::none);
  CHECK(drops.is_losing());
  for (unsigned i = 0; i < LogDrops::kQuietLooks + 5; ++i) {
    CHECK(drops.look(10, 5) == Change::none);  // nothing is written either
  }
  CHECK(drops.look(11, 6) == Change::none);
  for (unsigned i = 1; i < LogDrops::kQuietLooks; ++i) CHECK(drops.look(12, 6) == Change::none);
  CHECK(drops.look(12, 6) == Change::ended);
  CHECK(drops.lost() == 6);
  CHECK_FALSE(drops.is_losing());
  CHECK(drops.look(20, 7) == Change::begun);
  CHECK(drops.lost() == 1);
}

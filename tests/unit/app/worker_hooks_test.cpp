// SPDX-License-Identifier: Apache-2.0
#include "app/worker_hooks.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace pronghorn;

TEST_CASE("hooks: a start in order up to the first failure, a stop from the last to the first") {
  std::string said;
  app::WorkerHooks hooks;
  CHECK(hooks.call_start());
  hooks.call_stop();
  hooks.start.emplace_back([&]() -> Result<void> { return said += "a", Result<void>(); });
  hooks.start.emplace_back([&]() -> Result<void> {
    said += "b";
    return std::unexpected(Error("no database"));
  });
  hooks.start.emplace_back([&]() -> Result<void> { return said += "c", Result<void>(); });
  auto started = hooks.call_start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message() == "no database");
  CHECK(said == "ab");
  hooks.stop.emplace_back([&] { said += "1"; });
  hooks.stop.emplace_back([&] {
    said += "2";
    throw 7;
  });
  hooks.stop.emplace_back([&] {
    said += "3";
    throw std::runtime_error("late");
  });
  hooks.call_stop();
  CHECK(said == "ab321");
}

TEST_CASE("hooks: what a start throws is its error") {
  app::WorkerHooks hooks;
  hooks.start.emplace_back([]() -> Result<void> { throw std::runtime_error("refused"); });
  auto started = hooks.call_start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message() == "refused");
  hooks.start.front() = []() -> Result<void> { throw 7; };
  CHECK_FALSE(hooks.call_start());
}

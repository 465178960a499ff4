// SPDX-License-Identifier: Apache-2.0
#include "app/descriptor_budget.h"

#include <doctest/doctest.h>

using pronghorn::app::connection_limit;
using pronghorn::app::kept_files_limit;

TEST_CASE("connection limit: auto leaves a descriptor for a file beside each connection") {
  CHECK(connection_limit(0, 20'000, 2).value() == 9'987);
  CHECK(connection_limit(0, 64, 4).value() == 18);
  CHECK(connection_limit(0, 64, 4, 3).value() == 15);  // three for each further site
}

TEST_CASE("connection limit: what was asked for must fit") {
  CHECK(connection_limit(100, 1024, 1).value() == 100);
  auto refused = connection_limit(1000, 1024, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() ==
        "the descriptor limit (RLIMIT_NOFILE) is 1024; 1000 connections a worker need 2025");
  CHECK_FALSE(connection_limit(0, 30, 1));
}

TEST_CASE("kept files: they leave room for the connections") {
  CHECK(kept_files_limit(64, 20'000, 2, 0) == 64);
  CHECK(kept_files_limit(64, 512, 2, 0) == 32);
  CHECK(kept_files_limit(64, 128, 2, 0) == 0);
  CHECK(kept_files_limit(0, 20'000, 2, 0) == 0);
  CHECK(kept_files_limit(64, 1024, 1, 400) == 64);
  CHECK(kept_files_limit(64, 1024, 1, 490) == 19);
  CHECK(kept_files_limit(64, 1024, 1, 500) == 0);
}

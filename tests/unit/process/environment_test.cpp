// SPDX-License-Identifier: Apache-2.0
#include "process/environment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

using pronghorn::process::child_environment;

TEST_CASE(
    "environment: inherited, without what is unset, replaced by what is set, the last at the end") {
  ::setenv("KEPT", "1", 1);
  ::setenv("GONE", "1", 1);
  ::setenv("CHANGED", "1", 1);
  auto env =
      child_environment({"CHANGED=2", "NEW=a=b", "CHANGED=3"}, {"GONE"}, {"NEW=last", "END=1"});
  auto count = [&](std::string_view entry) { return std::count(env.begin(), env.end(), entry); };
  CHECK(count("KEPT=1") == 1);
  CHECK(count("CHANGED=3") == 1);
  auto starts = [&](std::string_view name) {
    return std::count_if(env.begin(), env.end(),
                         [&](const auto& e) { return e.starts_with(name); });
  };
  CHECK(starts("CHANGED=") == 1);
  CHECK(starts("GONE=") == 0);
  REQUIRE(env.size() > 2);
  CHECK(env[env.size() - 2] == "NEW=last");
  CHECK(env.back() == "END=1");
}

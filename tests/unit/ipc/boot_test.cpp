// SPDX-License-Identifier: Apache-2.0
#include "ipc/boot.h"

#include <pronghorn/base/unique_fd.h>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fcntl.h>

using pronghorn::UniqueFd;
using pronghorn::ipc::Boot;

TEST_CASE("boot: the text reads back as what was written") {
  Boot boot{.slot = 3,
            .generation = 7,
            .config_fd = 4,
            .scoreboard_fd = 5,
            .access_log_fd = 6,
            .root_fds = {9, 10},
            .doorbells = {7, 8}};
  CHECK(boot.to_text() ==
        "slot=3 generation=7 config=4 scoreboard=5 access_log=6 roots=9,10 doorbells=7,8");
  auto read = Boot::parse(boot.to_text());
  REQUIRE(read.has_value());
  CHECK(read->to_text() == boot.to_text());
  CHECK(Boot::parse("slot=0 generation=1")->config_fd == -1);
}

TEST_CASE("boot: anything else is an error that names it") {
  for (const char* text :
       {"slot", "slot=", "slot=x", "slot=-1", "slot=1x", "what=1", "config=99999999999",
        "doorbells=", "doorbells=1,,2", "doorbells=1 doorbells=2", "roots=1,-1", "root=1"}) {
    CAPTURE(text);
    CHECK_FALSE(Boot::parse(text).has_value());
  }
  CHECK(Boot::parse("slot=1 what=2").error().message() == "PRONGHORN_BOOT: cannot read 'what=2'");
}

TEST_CASE("boot: the variable leaves the environment and its descriptors become close-on-exec") {
  UniqueFd fd(::open("/dev/null", O_RDONLY));
  Boot boot;
  boot.config_fd = fd.get();
  ::setenv(Boot::kVariable, boot.to_text().c_str(), 1);
  auto taken = Boot::take_from_environment();
  REQUIRE(taken.has_value());
  REQUIRE(taken->has_value());
  CHECK((*taken)->config_fd == fd.get());
  CHECK((::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(std::getenv(Boot::kVariable) == nullptr);
  auto again = Boot::take_from_environment();
  REQUIRE(again.has_value());
  CHECK_FALSE(again->has_value());
}

TEST_CASE("boot: a descriptor that is not open is an error") {
  ::setenv(Boot::kVariable, "config=1000", 1);
  CHECK_FALSE(Boot::take_from_environment().has_value());
}

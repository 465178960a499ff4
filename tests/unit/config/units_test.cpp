// SPDX-License-Identifier: Apache-2.0
#include "config/units.h"

#include <doctest/doctest.h>

#include <random>

using namespace pronghorn::config;
using std::chrono::milliseconds;

TEST_CASE("units: sizes") {
  CHECK(parse_size("1MiB") == 1048576U);
  CHECK(parse_size("1MB") == 1000000U);
  CHECK(parse_size("32KiB") == 32768U);
  CHECK(parse_size("500B") == 500U);
  CHECK(parse_size("0B") == 0U);
  for (const char* text : {"", "1", "MiB", "-1B", "1.5MiB", "1 MiB", "1mib", "1M", "1MiBx",
                           "99999999999999999999B", "9999999999TiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("units: durations") {
  CHECK(parse_duration("500ms") == milliseconds(500));
  CHECK(parse_duration("30s") == milliseconds(30'000));
  CHECK(parse_duration("2m") == milliseconds(120'000));
  CHECK(parse_duration("1h") == milliseconds(3'600'000));
  for (const char* text :
       {"", "1", "s", "-1s", "1.5s", "1 s", "1S", "1d", "9223372036854775807h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("units: text and number are inverses") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t number = (random() >> 1) >> (random() % 63);
    CHECK(parse_size(format_size(number)) == number);
    const milliseconds duration(static_cast<std::int64_t>(number));
    CHECK(parse_duration(format_duration(duration)) == duration);
  }
  CHECK(format_size(1024) == "1KiB");
  CHECK(format_size(1000) == "1KB");
  CHECK(format_size(1025) == "1025B");
  CHECK(format_duration(milliseconds(90'000)) == "90s");
  CHECK(format_duration(milliseconds(0)) == "0s");
}

TEST_CASE("units: other programs' ways are understood as suggestions") {
  CHECK(guess_size("1m") == "1MiB");
  CHECK(guess_size("10 kb") == "10KB");
  CHECK(guess_size("77") == "77B");
  CHECK(guess_size("x") == "");
  CHECK(guess_duration("30") == "30s");
  CHECK(guess_duration("5 minutes") == "5m");
  CHECK(guess_duration("5 parsecs") == "");
}

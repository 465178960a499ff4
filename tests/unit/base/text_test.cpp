// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <doctest/doctest.h>

using namespace pronghorn;

TEST_CASE("text: sizes have at most three digits up to a unit's edge, and a unit") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1023) == "1023 B");
  CHECK(format_bytes(1024) == "1 KiB");
  CHECK(format_bytes(1229) == "1.2 KiB");
  CHECK(format_bytes(10 * 1024 + 1000) == "10 KiB");
  CHECK(format_bytes(1024 * 1024 - 1) == "1023 KiB");
  CHECK(format_bytes(3u << 20) == "3 MiB");
  CHECK(format_bytes(UINT64_MAX) == "15 EiB");
}

TEST_CASE("text: durations are cut to what people read") {
  CHECK(format_duration(Millis(-5)) == "0 ms");
  CHECK(format_duration(Millis(400)) == "400 ms");
  CHECK(format_duration(Millis(999)) == "999 ms");
  CHECK(format_duration(Millis(1000)) == "1 s");
  CHECK(format_duration(Millis(6499)) == "6.4 s");
  CHECK(format_duration(Millis(30'900)) == "30 s");
  CHECK(format_duration(Millis(182'000)) == "3 min 02 s");
  CHECK(format_duration(std::chrono::minutes(5 * 60 + 9)) == "5 h 09 min");
  CHECK(format_duration(std::chrono::hours(76)) == "3d04h");
}

TEST_CASE("text: what a terminal obeys is escaped, C1 controls in UTF-8 as well") {
  CHECK(escape_control("plain é …") == "plain é …");
  CHECK(escape_control(std::string_view("a\0b\n\x1b\x7f", 6)) == "a\\x00b\\x0A\\x1B\\x7F");
  CHECK(escape_control("\xc2\x9b"
                       "31m\xc2\xa0") == "\\xC2\\x9B31m\xc2\xa0");
  CHECK(escape_control("\xc2") == "\xc2");
  CHECK(escape_control("a\"b\\", "\"\\") == "a\\x22b\\x5C");
}

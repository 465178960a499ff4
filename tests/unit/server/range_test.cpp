// SPDX-License-Identifier: Apache-2.0
#include "server/range.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::server;

namespace {

using Ranges = std::vector<ByteRange>;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

/// The ranges of a partial answer, or none.
Ranges partial(std::string_view value, std::uint64_t size = 100, std::size_t at_most = 16) {
  const Field field{"Range", value};
  Ranges ranges{{1, 1}};  // is replaced
  auto verdict = evaluate_range({&field, 1}, size, at_most, ranges);
  CHECK((verdict == RangeVerdict::partial) == !ranges.empty());
  return ranges;
}

RangeVerdict verdict(std::string_view value, std::uint64_t size = 100, std::size_t at_most = 16) {
  const Field field{"Range", value};
  Ranges ranges;
  return evaluate_range({&field, 1}, size, at_most, ranges);
}

}  // namespace

TEST_CASE("range: first, middle, open, suffix, and clamped to the end") {
  CHECK(partial("bytes=0-9") == Ranges{{0, 10}});
  CHECK(partial("bytes=0-0") == Ranges{{0, 1}});
  CHECK(partial("bytes=10-19") == Ranges{{10, 10}});
  CHECK(partial("bytes=90-") == Ranges{{90, 10}});
  CHECK(partial("bytes=0-") == Ranges{{0, 100}});
  CHECK(partial("bytes=-10") == Ranges{{90, 10}});
  CHECK(partial("bytes=-1000") == Ranges{{0, 100}});
  CHECK(partial("bytes=95-1000") == Ranges{{95, 5}});
  CHECK(partial("bytes=99-99") == Ranges{{99, 1}});
  CHECK(partial("bytes=0009-00010") == Ranges{{9, 2}});
}

TEST_CASE("range: what does not exist cannot be satisfied") {
  for (auto value : {"bytes=100-", "bytes=100-100", "bytes=500-600,700-", "bytes=-0",
                     "bytes=18446744073709551615-18446744073709551620"}) {
    CAPTURE(value);
    CHECK(verdict(value) == RangeVerdict::unsatisfiable);
  }
  for (auto value : {"bytes=0-", "bytes=0-0", "bytes=-5"}) {
    CAPTURE(value);
    CHECK(verdict(value, 0) == RangeVerdict::unsatisfiable);
  }
}

TEST_CASE("range: a malformed set is refused, never guessed at") {
  for (auto value :
       {"bytes=", "bytes=,", "bytes=abc", "bytes=alpha", "bytes=10-alpha", "bytes=10", "bytes=5-2",
        "bytes=--5", "bytes=-", "bytes=1-2-3", "bytes=1 0-20", "bytes=10-11 12-", "bytes=0x1-",
        "bytes=+1-2", "bytes=1-+2", "bytes=-+5", "bytes=0-1,x", "bytes=\xb9-2", "bytes=1,2"}) {
    CAPTURE(value);
    CHECK(verdict(value) == RangeVerdict::unsatisfiable);
  }
}

TEST_CASE("range: another unit is ignored, and the unit has no case") {
  for (auto value : {"items=0-5", "0-5", "", "=0-5", "bytes", "bytes =0-5", "kbytes=0-5"}) {
    CAPTURE(value);
    CHECK(verdict(value) == RangeVerdict::whole);
  }
  CHECK(partial("BYTES=0-5") == Ranges{{0, 6}});
  CHECK(partial("Bytes=0-5") == Ranges{{0, 6}});
  Ranges ranges;
  CHECK(evaluate_range({}, 100, 16, ranges) == RangeVerdict::whole);
}

TEST_CASE("range: a Range in two lines is ignored") {
  const Field lines[] = {{"Range", "bytes=0-1"}, {"range", "bytes=4-5"}};
  Ranges ranges;
  CHECK(evaluate_range(lines, 100, 16, ranges) == RangeVerdict::whole);
}

TEST_CASE("range: positions around 2^63 and 2^64 are positions") {
  CHECK(partial("bytes=0-9223372036854775807") == Ranges{{0, 100}});
  CHECK(partial("bytes=0-9223372036854775808") == Ranges{{0, 100}});
  CHECK(partial("bytes=0-18446744073709551615") == Ranges{{0, 100}});
  CHECK(partial("bytes=0-18446744073709551616") == Ranges{{0, 100}});
  CHECK(partial("bytes=-18446744073709551616") == Ranges{{0, 100}});
  CHECK(partial("bytes=99-" + std::string(500, '9')) == Ranges{{99, 1}});
  CHECK(verdict("bytes=" + std::string(500, '9') + "-") == RangeVerdict::unsatisfiable);
  CHECK(partial("bytes=0-", kMost) == Ranges{{0, kMost}});
  CHECK(partial("bytes=18446744073709551614-18446744073709551615", kMost) ==
        Ranges{{kMost - 1, 1}});
  CHECK(partial("bytes=0-0,-1", kMost) == Ranges{{0, 1}, {kMost - 1, 1}});
}

TEST_CASE("range: several, in the order asked for, without what does not exist") {
  CHECK(partial("bytes=0-1,10-11") == Ranges{{0, 2}, {10, 2}});
  CHECK(partial("bytes=0-1 , 10-11") == Ranges{{0, 2}, {10, 2}});
  CHECK(partial("bytes=,0-1,,\t10-11,") == Ranges{{0, 2}, {10, 2}});
  CHECK(partial("bytes=0-9, -10, 10-19") == Ranges{{0, 10}, {90, 10}, {10, 10}});
  CHECK(partial("bytes=0-9, -10, 100000-, 10-19") == Ranges{{0, 10}, {90, 10}, {10, 10}});
  CHECK(partial("bytes=50-59,0-9") == Ranges{{50, 10}, {0, 10}});
  CHECK(partial("bytes=0-49,50-99") == Ranges{{0, 50}, {50, 50}});
  CHECK(partial("bytes=200-,5-6") == Ranges{{5, 2}});
}

TEST_CASE("range: what overlaps, or is more than the whole, gets the whole") {
  for (auto value : {"bytes=0-9,5-8", "bytes=0-9,9-10", "bytes=5-,0-5", "bytes=0-,0-",
                     "bytes=-5,-4", "bytes=0-10001, 0-0", "bytes=0-0,0-0"}) {
    CAPTURE(value);
    CHECK(verdict(value) == RangeVerdict::whole);
  }
  std::string killer = "bytes=0-";
  for (int i = 0; i < 1000; ++i) killer += ",5-" + std::to_string(5 + i);
  CHECK(verdict(killer, 10'000) == RangeVerdict::whole);
}

TEST_CASE("range: more than the limit get the whole, whatever they are") {
  std::string many = "bytes=0-0";
  for (int i = 1; i < 16; ++i) many += "," + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  CHECK(partial(many).size() == 16);
  CHECK(verdict(many + ",50-50") == RangeVerdict::whole);
  CHECK(verdict(many + ",500-") == RangeVerdict::whole);
  CHECK(verdict(many, 100, 15) == RangeVerdict::whole);
  CHECK(partial("bytes=3-4", 100, 1) == Ranges{{3, 2}});
  CHECK(verdict("bytes=3-4,6-7", 100, 1) == RangeVerdict::whole);
  CHECK(verdict("bytes=3-4", 100, 0) == RangeVerdict::whole);
}

TEST_CASE("range: texts of the answer") {
  CHECK(content_range({0, 10}, 100) == "bytes 0-9/100");
  CHECK(content_range({kMost - 1, 1}, kMost) ==
        "bytes 18446744073709551614-18446744073709551614/18446744073709551615");
  CHECK(unsatisfied_range(0) == "bytes */0");
  CHECK(part_head("B", "text/plain", {0, 2}, 5, true) ==
        "--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/5\r\n\r\n");
  CHECK(part_head("B", "", {3, 2}, 5, false) == "\r\n--B\r\nContent-Range: bytes 3-4/5\r\n\r\n");
  CHECK(part_end("B") == "\r\n--B--\r\n");
}

TEST_CASE("range: a boundary is 128 bits of chance") {
  std::string one = make_boundary();
  CHECK(one.size() == 32);
  CHECK(one.find_first_not_of("0123456789abcdef") == one.npos);
  CHECK(make_boundary() != one);
}

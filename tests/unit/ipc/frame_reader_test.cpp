// SPDX-License-Identifier: Apache-2.0
#include "ipc/frame_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using pronghorn::ipc::FrameReader;

namespace {

std::vector<std::string> lines_of(FrameReader& reader, std::string_view bytes) {
  std::vector<std::string> out;
  reader.feed(bytes);
  while (auto line = reader.next()) out.emplace_back(*line);
  return out;
}

}  // namespace

TEST_CASE("frame reader: every split of a text gives the same lines") {
  const std::string text = "{\"a\":1}\n\"\xc3\xa9\xf0\x9f\x90\x98\"\r\n\n  7 \nrest";
  const std::vector<std::string> expected = {"{\"a\":1}", "\"\xc3\xa9\xf0\x9f\x90\x98\"\r", "",
                                             "  7 "};
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      FrameReader reader(100);
      std::vector<std::string> got;
      for (auto part : {text.substr(0, i), text.substr(i, j - i), text.substr(j)}) {
        for (auto& line : lines_of(reader, part)) got.push_back(line);
      }
      REQUIRE(got == expected);
      REQUIRE(reader.has_partial());
    }
  }
}

TEST_CASE("frame reader: a line of the limit passes, one byte more does not") {
  FrameReader fits(5);
  CHECK(lines_of(fits, "12345\n").size() == 1);
  CHECK_FALSE(fits.is_too_long());
  FrameReader complete(5);
  CHECK(lines_of(complete, "1\n123456\n2\n").size() == 1);
  CHECK(complete.is_too_long());
  FrameReader unfinished(5);
  CHECK(lines_of(unfinished, "12345").empty());
  CHECK_FALSE(unfinished.is_too_long());
  CHECK(lines_of(unfinished, "6").empty());
  CHECK(unfinished.is_too_long());
}

TEST_CASE("frame reader: what is buffered is not copied again") {
  const std::string piece(64 * 1024, 'x');
  FrameReader reader(128 << 20);
  for (int i = 0; i < 1024; ++i) CHECK_FALSE((reader.feed(piece), reader.next().has_value()));
  CHECK(lines_of(reader, "\n").at(0).size() == 64 << 20);
  CHECK(reader.copied() == 64 << 20);
  // After it, small ones are given where they lie; only what spans two feeds is copied.
  for (int i = 0; i < 1000; ++i) CHECK(lines_of(reader, "1234\n1234\n12\n").size() == 3);
  CHECK(reader.copied() == 64 << 20);
  CHECK(lines_of(reader, "1234\n12").size() == 1);
  CHECK(lines_of(reader, "34\n1234\n").size() == 2);
  CHECK(reader.copied() == (64 << 20) + 4);
}

TEST_CASE("frame reader: lines that are kept for later cost one copy, however they are taken") {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += "1234\n";
  FrameReader reader(100);
  reader.feed(bytes);
  for (int i = 0; i < 500; ++i) {
    CHECK(reader.next() == "1234");
    reader.keep();
    std::ranges::fill(bytes, 'x');  // what was fed may go
  }
  for (int i = 0; i < 500; ++i) CHECK(reader.next() == "1234");
  CHECK_FALSE(reader.next().has_value());
  CHECK(reader.copied() == 999 * 5);
  CHECK(lines_of(reader, "1\n") == std::vector<std::string>{"1"});
}

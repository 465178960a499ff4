// SPDX-License-Identifier: Apache-2.0
#include "server/accept_encoding.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

using namespace pronghorn;
using namespace pronghorn::server;

namespace {

EncodingSet offer(std::initializer_list<Encoding> encodings) {
  EncodingSet set;
  for (Encoding encoding : encodings) set.add(encoding);
  return set;
}
const EncodingSet kAll = offer({Encoding::gzip, Encoding::br, Encoding::zstd});

std::optional<Encoding> choose(std::initializer_list<std::string_view> lines,
                               EncodingSet offered = kAll) {
  std::vector<Field> fields{{"Host", "x"}};
  for (std::string_view line : lines) fields.push_back({"accept-Encoding", line});
  return choose_encoding(fields, offered);
}
std::optional<Encoding> choose(std::string_view line, EncodingSet offered = kAll) {
  return choose({line}, offered);
}

}  // namespace

TEST_CASE("accept-encoding: without the field, or with nothing in it, identity") {
  CHECK(choose(std::initializer_list<std::string_view>{}) == Encoding::identity);
  CHECK(choose("") == Encoding::identity);
  CHECK(choose("identity") == Encoding::identity);
}

TEST_CASE("accept-encoding: the highest q wins, ties go to zstd, br, gzip") {
  CHECK(choose("gzip, deflate, br, zstd") == Encoding::zstd);
  CHECK(choose("gzip, br") == Encoding::br);
  CHECK(choose("gzip, br", offer({Encoding::gzip})) == Encoding::gzip);
  CHECK(choose("gzip;q=0.1, br;q=0.9") == Encoding::br);
  CHECK(choose("br;q=0.1, gzip;q=0.9") == Encoding::gzip);
  CHECK(choose("br;q=0.001, gzip;q=0.002, zstd;q=0") == Encoding::gzip);
  CHECK(choose("gzip;q=1.000, br;q=0.999") == Encoding::gzip);
  CHECK(choose("gzip ;\tQ=0.5 , br ; q=0.4") == Encoding::gzip);
  CHECK(choose("GZIP") == Encoding::gzip);
  CHECK(choose("x-gzip") == Encoding::gzip);
  CHECK(choose("gzip;q=0.") == Encoding::identity);
}

TEST_CASE("accept-encoding: identity ranks where the client puts it") {
  CHECK(choose("identity;q=1, gzip;q=0.5") == Encoding::identity);
  CHECK(choose("identity;q=0.5, gzip;q=0.5") == Encoding::gzip);
  CHECK(choose("gzip;q=0.001") == Encoding::gzip);
  CHECK(choose("identity, *;q=0.5") == Encoding::identity);
}

TEST_CASE("accept-encoding: q=0 refuses, also by a star") {
  CHECK(choose("gzip;q=0") == Encoding::identity);
  CHECK(choose("gzip;q=0.000") == Encoding::identity);
  CHECK(choose("gzip ; q=0") == Encoding::identity);
  CHECK(choose("gzip;q=0, *") == Encoding::zstd);
  CHECK(choose("*") == Encoding::zstd);
  CHECK(choose("*;q=0, gzip") == Encoding::gzip);
  CHECK(choose("*;q=0, br;q=0.1", offer({Encoding::gzip})) == std::nullopt);
  CHECK(choose("*;q=0") == std::nullopt);
  CHECK(choose("identity;q=0", offer({})) == std::nullopt);
  CHECK(choose("identity;q=0, *;q=0") == std::nullopt);
  CHECK(choose("identity;q=0, gzip;q=0.2") == Encoding::gzip);
}

TEST_CASE("accept-encoding: only what is a token and a weight counts") {
  CHECK(choose("nogzip, gzipx, xbr") == Encoding::identity);
  CHECK(choose(",;=;q,,") == Encoding::identity);
  for (auto bad : {"gzip;q=1.5", "gzip;q=2", "gzip;q=.5", "gzip;q=0.0001", "gzip;q=1.001",
                   "gzip;q=", "gzip;q", "gzip;", "gzip;level=9", "gzip;level=9;q=1", "gzip;q=0.5;x",
                   "gzip q=1", "\"gzip\"", "gzip;q= 1", "gzip;q=01", "gzip;q=-1", "gzip;q=1,5x"}) {
    CAPTURE(bad);
    CHECK(choose(bad, offer({Encoding::gzip})) ==
          (std::string_view(bad) == "gzip;q=1,5x" ? Encoding::gzip : Encoding::identity));
  }
}

TEST_CASE("accept-encoding: several lines are one list, and of two wishes the lower counts") {
  CHECK(choose({"gzip", "br;q=0.5"}) == Encoding::gzip);
  CHECK(choose({"gzip;q=0.2", "br;q=0.5"}) == Encoding::br);
  CHECK(choose("gzip, gzip;q=0") == Encoding::identity);
  CHECK(choose({"gzip;q=0", "x-gzip"}) == Encoding::identity);
}

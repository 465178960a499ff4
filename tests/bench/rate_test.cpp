// SPDX-License-Identifier: Apache-2.0
// What bench/rate counts with: its histogram and its reader of answers.
#include "bench/rate/answers.h"
#include "bench/rate/histogram.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using pronghorn::bench::Answers;
using pronghorn::bench::Histogram;

TEST_CASE("rate: a percentile is the value that so many do not exceed") {
  Histogram h;
  CHECK(h.percentile(50) == 0);
  for (std::uint64_t i = 1; i <= 200; ++i) h.record(i);
  CHECK(h.count() == 200);
  CHECK(h.percentile(50) == 100);
  CHECK(h.percentile(99) == 198);
  CHECK(h.percentile(99.5) == 199);
  CHECK(h.percentile(100) == 200);
  CHECK(h.percentile(0) == 1);
}

TEST_CASE("rate: every value is told to 0.8 percent, and never as more than the greatest") {
  for (std::uint64_t value = 1; value < (1ULL << 60); value += value / 3 + 1) {
    const std::uint64_t upper = Histogram::upper(Histogram::index(value));
    CHECK(upper >= value);
    CHECK(static_cast<double>(upper - value) <= static_cast<double>(value) * 0.008);
    if (value > 1) CHECK(Histogram::upper(Histogram::index(value) - 1) < value);
  }
  Histogram h;
  h.record(std::numeric_limits<std::uint64_t>::max());
  h.record(1000);
  CHECK(h.percentile(50) >= 1000);
  CHECK(h.percentile(50) <= 1008);
  CHECK(h.percentile(99.9) == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("rate: answers end where their lengths say, however they are cut") {
  const std::string one = "HTTP/1.1 200 OK\r\ncontent-LENGTH:  5\r\nX: y\r\n\r\nhello";
  const std::string empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const std::string all = one + empty + one + one;
  for (std::size_t step = 1; step <= all.size(); ++step) {
    Answers answers;
    std::size_t ended = 0;
    for (std::size_t at = 0; at < all.size(); at += step) {
      ended += answers.feed(std::string_view(all).substr(at, step));
    }
    CHECK(ended == 4);
    CHECK_FALSE(answers.is_bad());
    CHECK_FALSE(answers.closes());
  }
}

TEST_CASE("rate: what is no answer with status 200 and the length that it must have is bad") {
  for (std::string_view bytes :
       {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Answers answers;
    CHECK(answers.feed(bytes) == 0);
    CHECK(answers.is_bad());
  }
  Answers answers;
  CHECK(answers.feed(std::string(20000, 'x')) == 0);
  CHECK(answers.feed("x") == 0);
  CHECK(answers.is_bad());
  for (const std::uint64_t wanted : {4U, 5U, 6U}) {
    Answers five(wanted);
    CHECK(five.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") == (wanted == 5 ? 1 : 0));
    CHECK(five.is_bad() == (wanted != 5));
  }
  Answers closing;
  CHECK(closing.feed("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx") == 1);
  CHECK(closing.closes());
}

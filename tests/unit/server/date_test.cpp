// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/date.h>

#include <doctest/doctest.h>

using namespace pronghorn::server;

TEST_CASE("date: the three forms are read (RFC 9110 §5.6.7)") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(parse_http_date("Sun Nov 16 08:49:37 1994").has_value());
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(parse_http_date("Wed, 31 Dec 1969 23:59:59 GMT") == -1);
  CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT").has_value());
}

TEST_CASE("date: two digits of a year mean the nearest, at most 50 years ahead") {
  CHECK(*parse_http_date("Sunday, 06-Nov-99 08:49:37 GMT") < std::time(nullptr));
  CHECK(*parse_http_date("Sunday, 06-Nov-25 08:49:37 GMT") ==
        *parse_http_date("Thu, 06 Nov 2025 08:49:37 GMT"));
}

TEST_CASE("date: anything else is no date") {
  for (const char* bad :
       {"", "0", "now", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT", "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 19949 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_http_date(bad));
  }
}

TEST_CASE("date: what is written is read back, and the cache follows the second") {
  for (std::time_t t :
       {std::time_t{0}, std::time_t{951782400}, std::time_t{1700000000}, std::time_t{4102444800}}) {
    CHECK(parse_http_date(format_http_date(t)) == t);
  }
  CHECK(format_http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  DateCache cache;
  cache.refresh(784111777);
  CHECK(cache.text() == "Sun, 06 Nov 1994 08:49:37 GMT");
  cache.refresh(784111778);
  CHECK(cache.text() == "Sun, 06 Nov 1994 08:49:38 GMT");
}

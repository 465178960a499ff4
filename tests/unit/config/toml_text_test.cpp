// SPDX-License-Identifier: Apache-2.0
#include "config/toml_text.h"

#include <doctest/doctest.h>

using namespace pronghorn::config;

TEST_CASE("utf-8: what RFC 3629 allows, and nothing else") {
  for (const std::string good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\xa6\x8c",
                                 "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"})
    CHECK(is_utf8(good));
  for (const std::string bad :
       {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xc3\x28", "\xe2\x82"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("quoted: escapes of TOML") {
  CHECK(toml_quoted("a\"b\\c\n\r\t\x01\x7f\xc3\xa4") ==
        "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007F\xc3\xa4\"");
}

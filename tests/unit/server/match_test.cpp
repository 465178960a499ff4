// SPDX-License-Identifier: Apache-2.0
#include "server/match.h"

#include <doctest/doctest.h>

#include <string>

using pronghorn::server::fits;
using pronghorn::server::Match;
using pronghorn::server::media_type;

TEST_CASE("match: a star stands for any bytes, none and slashes included") {
  CHECK(fits("/a/*", "/a/"));
  CHECK(fits("/a/*", "/a/b/c"));
  CHECK_FALSE(fits("/a/*", "/a"));
  CHECK_FALSE(fits("/a/*", "/b/a/"));
  CHECK(fits("*.css", ".css"));
  CHECK(fits("*.css", "a.css.css"));
  CHECK_FALSE(fits("*.css", "a.css2"));
  CHECK(fits("*", ""));
  CHECK(fits("", ""));
  CHECK_FALSE(fits("", "a"));
  CHECK(fits("a*b*c", "abbbcc"));
  CHECK_FALSE(fits("a*b*c", "acb"));
  CHECK(fits("/A", "/A"));
  CHECK_FALSE(fits("/A", "/a"));
}

TEST_CASE("match: stars against a long text take no exponential time") {
  const std::string text(20'000, 'a');
  CHECK_FALSE(fits("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

TEST_CASE("match: elements are paths, ends of names or media types") {
  const Match match({"/static/*", "*.js", "image/*", "application/*+xml"});
  CHECK(match.has({"/static/x", "text/plain"}));
  CHECK(match.has({"/a/b.js", "text/plain"}));
  CHECK(match.has({"/a", "Image/PNG"}));
  CHECK(match.has({"/a", "application/atom+xml; charset=utf-8"}));
  CHECK_FALSE(match.has({"/a.js/b", "text/plain"}));
  CHECK_FALSE(match.has({"/x/static/x", "text/image"}));
  CHECK_FALSE(match.has({"/a", ""}));
}

TEST_CASE("match: without elements it is for all") { CHECK(Match({}).has({"/", ""})); }

TEST_CASE("media type: parameters and white space are no part of it") {
  CHECK(media_type("text/html; charset=utf-8") == "text/html");
  CHECK(media_type("text/html ;x") == "text/html");
  CHECK(media_type("").empty());
}

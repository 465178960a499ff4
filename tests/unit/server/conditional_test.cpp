// SPDX-License-Identifier: Apache-2.0
#include "server/conditional.h"

#include "server/date.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using pronghorn::Field;
using pronghorn::server::Condition;
using pronghorn::server::evaluate_conditions;
using pronghorn::server::format_http_date;
using pronghorn::server::Validators;

namespace {

constexpr std::time_t kModified = 1'704'164'645;  // 2024-01-02 03:04:05 UTC
constexpr timespec kLongAfter{kModified + 1000, 0};

const Validators kStrong(14, {kModified, 5}, kLongAfter);
const Validators kWeak(14, {kModified, 5}, {kModified, 6});
const std::string kTag(kStrong.etag());
const std::string kWeakTag(kWeak.etag());

Condition evaluate(std::initializer_list<Field> headers, const Validators& validators = kStrong) {
  return evaluate_conditions({headers.begin(), headers.size()}, validators);
}

}  // namespace

TEST_CASE("validators: the tag changes with the size and with a nanosecond of the time") {
  CHECK(kTag.starts_with('"'));
  CHECK(kTag.ends_with('"'));
  CHECK(kTag == Validators(14, {kModified, 5}, kLongAfter).etag());
  CHECK(kTag != Validators(15, {kModified, 5}, kLongAfter).etag());
  CHECK(kTag != Validators(14, {kModified, 6}, kLongAfter).etag());
  CHECK(Validators(~0ULL, {-1, 999'999'999}, kLongAfter).etag().size() > 30);
}

TEST_CASE("validators: a file that changed less than a second ago has a weak tag") {
  auto weak = [](timespec modified, timespec now) {
    return Validators(1, modified, now).is_weak();
  };
  CHECK(weak({100, 500}, {100, 500}));
  CHECK(weak({100, 500}, {101, 499}));
  CHECK_FALSE(weak({100, 500}, {101, 500}));
  CHECK_FALSE(weak({100, 500}, {102, 0}));
  CHECK(weak({200, 0}, {100, 0}));
  CHECK(kWeakTag == "W/" + kTag);
}

TEST_CASE("validators: a time in the future is not shown") {
  CHECK(Validators(1, {200, 0}, {100, 0}).modified() == 100);
  CHECK(Validators(1, {99, 0}, {100, 0}).modified() == 99);
}

TEST_CASE("conditional: a plain request proceeds") {
  CHECK(evaluate({}) == Condition::proceed);
  CHECK(evaluate({{"Host", "x"}, {"Accept", "*/*"}, {"If-Range", "\"x\""}}) == Condition::proceed);
}

TEST_CASE("conditional: If-None-Match compares weakly, in lists, with commas inside tags") {
  auto inm = [](std::string_view value, const Validators& v = kStrong) {
    return evaluate({{"if-NONE-match", value}}, v);
  };
  CHECK(inm(kTag) == Condition::not_modified);
  CHECK(inm("W/" + kTag) == Condition::not_modified);
  CHECK(inm(kTag, kWeak) == Condition::not_modified);
  CHECK(inm("*") == Condition::not_modified);
  CHECK(inm("\"a\", W/\"b\" , " + kTag) == Condition::not_modified);
  CHECK(inm("\"a,b\"," + kTag) == Condition::not_modified);
  CHECK(inm(",, ,\t" + kTag + ",") == Condition::not_modified);
  CHECK(inm("\"other\"") == Condition::proceed);
  CHECK(inm("\"\"") == Condition::proceed);
  CHECK(inm("") == Condition::proceed);
  CHECK(inm(",,,\"") == Condition::proceed);
  CHECK(inm("w/" + kTag) == Condition::proceed);
  CHECK(inm(kTag.substr(1)) == Condition::proceed);
  CHECK(inm("\"a" + kTag + "b\"") == Condition::proceed);
  CHECK(inm("W/") == Condition::proceed);
  CHECK(inm("\"*\"") == Condition::proceed);
}

TEST_CASE("conditional: several If-None-Match lines are one list") {
  CHECK(evaluate({{"If-None-Match", "\"a\""}, {"If-None-Match", kTag}}) == Condition::not_modified);
  CHECK(evaluate({{"If-None-Match", kTag}, {"If-None-Match", "\"a\""}}) == Condition::not_modified);
}

TEST_CASE("conditional: If-None-Match silences If-Modified-Since") {
  auto date = format_http_date(kModified);
  CHECK(evaluate({{"If-None-Match", "\"other\""}, {"If-Modified-Since", date}}) ==
        Condition::proceed);
  CHECK(evaluate({{"If-Modified-Since", date}, {"If-None-Match", ""}}) == Condition::proceed);
}

TEST_CASE("conditional: If-Modified-Since answers 304 from the file's second on") {
  auto ims = [](std::string_view value) { return evaluate({{"If-Modified-Since", value}}); };
  CHECK(ims(format_http_date(kModified)) == Condition::not_modified);
  CHECK(ims(format_http_date(kModified + 1)) == Condition::not_modified);
  CHECK(ims(format_http_date(kModified - 1)) == Condition::proceed);
  CHECK(ims("Tuesday, 02-Jan-24 03:04:05 GMT") == Condition::not_modified);
  CHECK(ims("Tue Jan  2 03:04:05 2024") == Condition::not_modified);
  CHECK(ims("yesterday") == Condition::proceed);
  CHECK(ims("Tue, 32 Jan 2024 03:04:05 GMT") == Condition::proceed);
  CHECK(ims("") == Condition::proceed);
}

TEST_CASE("conditional: If-Match compares strongly") {
  auto im = [](std::string_view value, const Validators& v = kStrong) {
    return evaluate({{"If-Match", value}}, v);
  };
  CHECK(im(kTag) == Condition::proceed);
  CHECK(im("\"x\", " + kTag) == Condition::proceed);
  CHECK(im("*") == Condition::proceed);
  CHECK(im("*", kWeak) == Condition::proceed);
  CHECK(im("\"x\"") == Condition::precondition_failed);
  CHECK(im("") == Condition::precondition_failed);
  CHECK(im("W/" + kTag) == Condition::precondition_failed);
  CHECK(im(kWeakTag, kWeak) == Condition::precondition_failed);
  CHECK(im(kTag, kWeak) == Condition::precondition_failed);
}

TEST_CASE("conditional: If-Match silences If-Unmodified-Since, and comes before If-None-Match") {
  auto old = format_http_date(kModified - 1);
  CHECK(evaluate({{"If-Match", "*"}, {"If-Unmodified-Since", old}}) == Condition::proceed);
  CHECK(evaluate({{"If-Match", "\"x\""}, {"If-None-Match", kTag}}) ==
        Condition::precondition_failed);
  CHECK(evaluate({{"If-Match", kTag}, {"If-None-Match", kTag}}) == Condition::not_modified);
}

TEST_CASE("conditional: If-Unmodified-Since fails when the file is newer") {
  auto ius = [](std::string_view value) { return evaluate({{"If-Unmodified-Since", value}}); };
  CHECK(ius(format_http_date(kModified)) == Condition::proceed);
  CHECK(ius(format_http_date(kModified - 1)) == Condition::precondition_failed);
  CHECK(ius("yesterday") == Condition::proceed);
}

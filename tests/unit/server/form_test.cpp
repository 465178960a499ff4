// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/form.h>

#include "tests/unit/server/made_request.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pronghorn;
using test::MadeRequest;

namespace {

std::string shown(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form.fields()) out += "(" + name + "=" + value + ")";
  return out;
}

std::string parsed(std::string_view text) {
  auto form = Form::parse(text);
  return form ? shown(*form) : form.error().message();
}

}  // namespace

TEST_CASE("form: fields are decoded, and stay in order with their doubles") {
  CHECK(parsed("") == "");
  CHECK(parsed("a=1&b=2&a=3") == "(a=1)(b=2)(a=3)");
  CHECK(parsed("a+b=c+d&%61=%2B%26%3d%25") == "(a b=c d)(a=+&=%)");
  CHECK(parsed("a&b=&=c&=&") == "(a=)(b=)(=c)(=)");
  CHECK(parsed("&&a=1&&") == "(a=1)");
  CHECK(parsed("a=b=c") == "(a=b=c)");
  CHECK(parsed("n=%00%FF") == std::string("(n=\0\xff)", 6));
}

TEST_CASE("form: a wrong escape is an error that names its field") {
  for (const char* text : {"a=1&b=%", "a=1&b=%4", "a=1&b=%zz", "a=1&%4g=1", "a=1&b=%%41"}) {
    CAPTURE(text);
    auto form = Form::parse(text);
    REQUIRE_FALSE(form);
    CHECK(form.error().message() == "field 2 of the form has a wrong %-escape");
    CHECK(status_of(form.error()) == 400);
  }
}

TEST_CASE("form: the number of fields is bounded") {
  std::string text = "a=1";
  for (int i = 1; i < 1000; ++i) text += "&a=1";
  CHECK(Form::parse(text)->fields().size() == 1000);
  auto more = Form::parse(text + "&a=1");
  REQUIRE_FALSE(more);
  CHECK(status_of(more.error()) == 413);
  CHECK(Form::parse("a&b", {.fields = 2}));
  CHECK_FALSE(Form::parse("a&b&c", {.fields = 2}));
}

TEST_CASE("form: get finds the first value, all finds them all") {
  auto form = Form::parse("a=1&b=2&a=3");
  REQUIRE(form);
  CHECK(form->get("a") == "1");
  CHECK_FALSE(form->get("c"));
  CHECK(form->all("a") == std::vector<std::string_view>{"1", "3"});
  CHECK(form->all("c").empty());
}

TEST_CASE("form: a body must say that it is one") {
  const std::string body = "a=1&b=%C3%A9";
  for (const char* type :
       {"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}) {
    MadeRequest request({{"Content-Type", type}}, body);
    CHECK(form_body(*request)->get("b") == "\xc3\xa9");
  }
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencodedx"}) {
    auto form = form_body(*MadeRequest({{"Content-Type", type}}, body));
    REQUIRE_FALSE(form);
    CHECK(status_of(form.error()) == 415);
  }
}

TEST_CASE("form: query_param decodes one field of the query") {
  MadeRequest request;
  request.query("a=1&q=x+y%21&q=2&bad=%4&%62=3");
  CHECK(query_param(*request, "q") == "x y!");
  CHECK(query_param(*request, "b") == "3");
  CHECK(query_param(*request, "bad") == std::nullopt);
  CHECK(query_param(*request, "none") == std::nullopt);
  CHECK(query_param(*MadeRequest(), "a") == std::nullopt);
}

TEST_CASE("form: an error becomes an answer that tells the client, but nothing of the server") {
  Response answer = error_response(body_error(BodyErrc::malformed, "bad\r\nbyte"));
  CHECK(answer.status() == 400);
  CHECK(std::get<std::string>(answer.body()) == "bad\\x0D\\x0Abyte\n");
  Response full = error_response(body_error(BodyErrc::storage_full, "cannot write /tmp/x"));
  CHECK(full.status() == 507);
  CHECK(full.is_page());
  CHECK(error_response(Error("else")).status() == 500);
}

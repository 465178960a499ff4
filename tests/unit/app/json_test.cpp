// SPDX-License-Identifier: Apache-2.0
// JSON of requests and answers, as <pronghorn/json.h> has it.
#include <pronghorn/json.h>
#include <pronghorn/server/body_error.h>

#include "tests/unit/server/made_request.h"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace pronghorn;
using test::MadeRequest;

namespace {

Result<Json> body(const std::string& type, const std::string& text) {
  return json_body(*MadeRequest({{"Content-Type", type}}, text));
}

std::string text_of(const Response& answer) { return std::get<std::string>(answer.body()); }

}  // namespace

TEST_CASE("json: the body of a request is a value") {
  CHECK(body("application/json", "{\"a\":[1,null]}") == Json{{"a", {1, nullptr}}});
  CHECK(body("Application/JSON; charset=UTF-8", " 7 ") == Json(7));
  CHECK(body("application/problem+json", "\"\\ud83d\\ude00\"") == Json("\xf0\x9f\x98\x80"));
  CHECK(body("application/json", "\"\\ud800\"") == Json("\xef\xbf\xbd"));
}

TEST_CASE("json: a body of another type is a 415, a wrong one a 400 that says where") {
  for (const char* type :
       {"", "text/json", "application/x-json", "application/json; charset=latin1",
        "text/plain+json", "application/json; charset"}) {
    CAPTURE(type);
    auto value = body(type, "{}");
    REQUIRE_FALSE(value);
    CHECK(status_of(value.error()) == 415);
  }
  auto value = body("application/json", "{\n\"a\" 1}");
  REQUIRE_FALSE(value);
  CHECK(status_of(value.error()) == 400);
  CHECK(text_of(error_response(value.error())) == "not JSON: line 2, column 5: unexpected '1'\n");
  CHECK(status_of(body("application/json", "").error()) == 400);
  CHECK(status_of(body("application/json", std::string(200000, '[')).error()) == 400);
}

TEST_CASE("json: an answer is the value's text, or a 500 for what has none") {
  const Response answer = json_response({{"a", "\xff"}, {"n", 1.5}});
  CHECK(answer.status() == 200);
  CHECK(answer.content_type() == "application/json");
  CHECK(text_of(answer) == "{\"a\":\"\xef\xbf\xbd\",\"n\":1.5}");
  CHECK(json_response(Json::array()).status(201).status() == 201);
  Json tower;
  for (int i = 0; i < 600; ++i) {
    Json outer = Json::array();
    outer.push_back(std::move(tower));
    tower = std::move(outer);
  }
  CHECK(json_response(tower).status() == 500);
}

// SPDX-License-Identifier: Apache-2.0
#include "server/accept.h"

#include <doctest/doctest.h>

#include <vector>

using pronghorn::Field;
using pronghorn::server::choose_text_form;
using pronghorn::server::TextForm;

namespace {

TextForm form(std::string_view accept) {
  std::vector<Field> headers{{"Host", "x"}, {"aCCept", accept}};
  return choose_text_form(headers);
}

}  // namespace

TEST_CASE("text form: html without Accept, for browsers and for what takes anything") {
  CHECK(choose_text_form({}) == TextForm::html);
  for (const char* accept : {"*/*", "", " , ", "text/html", "text/*", "TEXT/HTML;q=0.1",
                             "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                             "application/xhtml+xml", "application/json;q=0.5, text/html",
                             "application/json, text/html", "text/html;q=nonsense"}) {
    CAPTURE(accept);
    CHECK(form(accept) == TextForm::html);
  }
}

TEST_CASE("text form: json where it is asked for by name") {
  for (const char* accept :
       {"application/json", "application/problem+json", "application/*", "Application/JSON; q=0.2",
        "application/json, text/plain, */*", "text/html;q=0.5, application/json;q=0.6",
        "text/html;q=0, */*", "application/json\t;\tq=1.000 , */*"}) {
    CAPTURE(accept);
    CHECK(form(accept) == TextForm::json);
  }
}

TEST_CASE("text form: plain text where neither is taken") {
  for (const char* accept : {"text/plain", "image/png, image/*;q=0.5", "*/*;q=0",
                             "text/html;q=0.000", "application/json;q=0, text/plain", "nonsense"}) {
    CAPTURE(accept);
    CHECK(form(accept) == TextForm::plain);
  }
}

TEST_CASE("text form: several lines are one list") {
  std::vector<Field> headers{{"Accept", "text/html;q=0.5"}, {"Accept", "application/json"}};
  CHECK(choose_text_form(headers) == TextForm::json);
}

// SPDX-License-Identifier: Apache-2.0
#include "server/error_page.h"

#include "server/style_hash.h"
#include "wire.h"

#include <algorithm>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("error page: SHA-256 is right (FIPS 180-4's examples)") {
  auto text = [](const std::array<char, 44>& hash) {
    return std::string(hash.data(), hash.size());
  };
  constexpr auto empty = server::sha256_base64("");
  constexpr auto abc = server::sha256_base64("abc");
  constexpr auto two_blocks =
      server::sha256_base64("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
  CHECK(text(empty) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  CHECK(text(abc) == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  CHECK(text(two_blocks) == "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE=");
}

TEST_CASE("error page: says the status, and nothing of the request or the product") {
  Wire w;
  Outcome o =
      w.run({"GET /secret?<script>=%22 HTTP/1.1\r\nHost: x\r\nUser-Agent: <script>\r\n\r\n"});
  CHECK(answers(o.bytes).at(0).status == 400);
  o = w.run({"GET /secret-path HTTP/1.1\r\nHost: host.example\r\n\r\n"});
  Answer a = answers(o.bytes).at(0);
  CHECK(a.status == 404);
  CHECK(a.body.contains("<h1>404 Not Found</h1>"));
  CHECK(a.has("Content-Type: text/html; charset=utf-8\r\n"));
  CHECK(a.has("X-Content-Type-Options: nosniff\r\n"));
  CHECK(a.has("Content-Security-Policy: default-src 'none'; style-src 'sha256-"));
  for (const char* word : {"secret", "host.example", "pronghorn", "Pronghorn", "<script", "0.1"}) {
    CHECK_FALSE(o.bytes.contains(word));
  }
  CHECK_FALSE(a.has("Server:"));
}

TEST_CASE("error page: in the form that Accept asks for") {
  Wire w;
  auto ask = [&](const std::string& accept) {
    return answers(w.run({"GET /none HTTP/1.1\r\nHost: x\r\nAccept: " + accept + "\r\n\r\n"}).bytes)
        .at(0);
  };
  Answer json = ask("application/json");
  CHECK(json.has("Content-Type: application/problem+json\r\n"));
  CHECK(json.body ==
        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
        "\"detail\":\"There is no page at this address.\"}\n");
  CHECK_FALSE(json.has("Content-Security-Policy"));
  Answer text = ask("image/png");
  CHECK(text.has("Content-Type: text/plain; charset=utf-8\r\n"));
  CHECK(text.body == "404 Not Found: There is no page at this address.\n");
  Answer html = ask("*/*");
  CHECK(html.has("Content-Type: text/html; charset=utf-8\r\n"));
  for (const Answer& answer : {json, text, html}) CHECK(answer.has("Vary: Accept\r\n"));
}

TEST_CASE("error page: every status has each form, within a kilobyte, and JSON that is valid") {
  for (int status = 200; status <= 599; ++status) {
    CAPTURE(status);
    CHECK(server::status_page(status).size() < 1024);
    auto problem = server::status_text(status, server::TextForm::json).bytes;
    auto line = server::status_text(status, server::TextForm::plain).bytes;
    CHECK(line.starts_with(std::to_string(status)));
    CHECK(line.find('\n') == line.size() - 1);
    // Quotes are those of the members, and nothing is escaped: so the text in them needs no escape.
    if (status >= 400) {
      auto quotes = std::ranges::count(problem, '"');
      CHECK((quotes == 10 || quotes == 14));
      CHECK_FALSE(problem.contains('\\'));
    } else {
      CHECK(problem == line);
    }
  }
}

TEST_CASE("error page: a redirect has one, and its location") {
  Wire w;
  w.add("GET", "/old", [](const Request&) { return Response::redirect(308, "/new?x=1"); });
  Answer a = answers(w.run({"GET /old HTTP/1.1\r\nHost: x\r\n\r\n"}).bytes).at(0);
  CHECK(a.status == 308);
  CHECK(a.has("Location: /new?x=1\r\n"));
  CHECK(a.body.contains("Permanent Redirect"));
}

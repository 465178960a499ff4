// SPDX-License-Identifier: Apache-2.0
#include "server/error_page.h"

#include "server/request_id.h"
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

TEST_CASE("error page: a policy that the answer has stands in place of the page's own") {
  Wire w;
  w.add("GET", "/locked", [](const Request&) {
    return Response::error(403).header("content-security-policy", "default-src 'self'");
  });
  Answer a = answers(w.run({"GET /locked HTTP/1.1\r\nHost: x\r\n\r\n"}).bytes).at(0);
  CHECK(a.has("content-security-policy: default-src 'self'\r\n"));
  CHECK_FALSE(a.has("Content-Security-Policy"));
}

TEST_CASE("error page: in the form that Accept asks for") {
  Wire w;
  auto ask = [&](const std::string& accept) {
    return answers(w.run({"GET /none HTTP/1.1\r\nHost: x\r\nAccept: " + accept + "\r\n\r\n"}).bytes)
        .at(0);
  };
  Answer json = ask("application/json");
  CHECK(json.has("Content-Type: application/problem+json\r\n"));
  CHECK(
      json.body.starts_with("{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                            "\"detail\":\"There is no page at this address.\",\"request_id\":\""));
  CHECK(json.body.ends_with("\"}\n"));
  CHECK_FALSE(json.has("Content-Security-Policy"));
  Answer text = ask("image/png");
  CHECK(text.has("Content-Type: text/plain; charset=utf-8\r\n"));
  CHECK(text.body.starts_with("404 Not Found: There is no page at this address. (request "));
  CHECK(text.body.ends_with(")\n"));
  Answer html = ask("*/*");
  CHECK(html.has("Content-Type: text/html; charset=utf-8\r\n"));
  for (const Answer& answer : {json, text, html}) CHECK(answer.has("Vary: Accept\r\n"));
}

namespace {

std::string whole(const server::StatusText& text) {
  return std::string(text.before).append(text.middle).append(text.after);
}

std::string redirect_body(const std::string& location, const std::string& accept) {
  Wire w;
  w.add("GET", "/old", [&](const Request&) { return Response::redirect(308, location); });
  Answer a =
      answers(w.run({"GET /old HTTP/1.1\r\nHost: x\r\nAccept: " + accept + "\r\n\r\n"}).bytes)
          .at(0);
  CHECK(a.status == 308);
  CHECK(a.has("Location: " + location + "\r\n"));
  CHECK(a.has("Vary: Accept\r\n"));
  return a.body;
}

}  // namespace

TEST_CASE("error page: every status has each form, within a kilobyte, and JSON that is valid") {
  const std::string id(server::RequestId::kMost, 'i');
  for (int status = 400; status <= 599; ++status) {
    CAPTURE(status);
    auto page = whole(server::error_text(status, server::TextForm::html, id));
    auto problem = whole(server::error_text(status, server::TextForm::json, id));
    auto line = whole(server::error_text(status, server::TextForm::plain, id));
    for (const auto& text : {page, problem, line}) {
      CHECK(text.size() < 1024);
      CHECK(text.contains(id));
      CHECK_FALSE(text.contains('\0'));
    }
    CHECK(line.starts_with(std::to_string(status)));
    CHECK(line.find('\n') == line.size() - 1);
    // Quotes are those of the members, and nothing is escaped: so the text in them needs no escape.
    auto quotes = std::ranges::count(problem, '"');
    CHECK((quotes == 14 || quotes == 18));
    CHECK_FALSE(problem.contains('\\'));
  }
}

TEST_CASE("error page: a status that is no error has none of an error's") {
  std::string kept;
  for (int status = 200; status < 400; ++status) {
    CAPTURE(status);
    auto page = whole(server::status_text(status, server::TextForm::html, {}, kept));
    auto line = whole(server::status_text(status, server::TextForm::plain, {}, kept));
    CHECK(page.size() < 1024);
    CHECK_FALSE(page.contains("href"));
    CHECK_FALSE(page.contains("Request "));
    CHECK(line == whole(server::status_text(status, server::TextForm::json, {}, kept)));
    CHECK(line.starts_with(std::to_string(status)));
  }
}

TEST_CASE("error page: a redirect has one with a link, or the location in a line of text") {
  CHECK(redirect_body("/new?x=1", "text/html")
            .ends_with("<h1>308 Permanent Redirect</h1>\n<p>This page has a new address.\n"
                       "<p><a href=\"/new?x=1\">The page is here</a>\n"));
  CHECK(redirect_body("/new?x=1", "image/png") ==
        "308 Permanent Redirect: This page has a new address. /new?x=1\n");
  CHECK(redirect_body("/new?x=1", "application/json") ==
        "308 Permanent Redirect: This page has a new address. /new?x=1\n");
}

TEST_CASE("error page: nothing of a redirect's location gets out of its link") {
  CHECK(redirect_body("/\"><script>'&", "text/html")
            .contains("href=\"/&quot;&gt;&lt;script&gt;&#39;&amp;\">"));
  for (const char* web : {"https://example.org/a:b", "HTTP://x", "//x/y", "a/b:c", "?a:b", "#:"}) {
    CAPTURE(web);
    CHECK(redirect_body(web, "text/html").contains("href=\"" + std::string(web) + "\""));
  }
  for (const char* other : {"javascript:alert(1)", "JavaScript:0", "data:text/html,x", ":"}) {
    CAPTURE(other);
    CHECK_FALSE(redirect_body(other, "text/html").contains("href"));
  }
}

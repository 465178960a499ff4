// SPDX-License-Identifier: Apache-2.0
#include "server/error_page.h"

#include "server/html_text.h"
#include "server/status.h"
#include "server/style_hash.h"
#include "server/syntax.h"

#include <algorithm>
#include <array>
#include <string>

namespace pronghorn::server {
namespace {

constexpr std::string_view kStyle =
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}"
    "h1{font-size:1.5rem}";
constexpr auto kStyleHash = sha256_base64(kStyle);

constexpr int kFirst = 200;
constexpr int kLast = 599;

// Where the middle of a text belongs; no phrase and no advice has it.
constexpr char kMiddle = '\0';

std::string make_page(int status, std::string_view middle) {
  std::string title = std::to_string(status);
  if (auto phrase = reason_phrase(status); !phrase.empty()) title.append(" ").append(phrase);
  std::string page =
      "<!doctype html>\n<html lang=en><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width\">"
      "<meta name=color-scheme content=\"light dark\"><title>";
  page.append(title).append("</title><style>").append(kStyle).append("</style>\n<h1>");
  page.append(title).append("</h1>\n");
  if (auto advice = status_advice(status); !advice.empty())
    page.append("<p>").append(advice).append("\n");
  return page.append(middle);
}

std::string make_error_page(int status) {
  using namespace std::string_view_literals;
  return make_page(status, "<p><a href=\"/\">To the start page</a>\n<p>Request \0\n"sv);
}

std::string make_redirect_page(int status) {
  using namespace std::string_view_literals;
  return make_page(status, "<p><a href=\"\0\">The page is here</a>\n"sv);
}

std::string make_bare_page(int status) { return make_page(status, {}); }

// Phrases and advice have neither quotes nor backslashes (a test looks).
std::string make_problem(int status) {
  std::string text = "{\"type\":\"about:blank\",\"title\":\"";
  text.append(reason_phrase(status)).append("\",\"status\":").append(std::to_string(status));
  if (auto advice = status_advice(status); !advice.empty())
    text.append(",\"detail\":\"").append(advice).append("\"");
  return text.append(",\"request_id\":\"").append(1, kMiddle).append("\"}\n");
}

std::string make_bare_line(int status) {
  std::string text = std::to_string(status);
  if (auto phrase = reason_phrase(status); !phrase.empty()) text.append(" ").append(phrase);
  if (auto advice = status_advice(status); !advice.empty()) text.append(": ").append(advice);
  return text + "\n";
}

std::string make_line(int status, std::string_view middle) {
  std::string text = make_bare_line(status);
  text.pop_back();
  return text.append(middle);
}

std::string make_error_line(int status) {
  using namespace std::string_view_literals;
  return make_line(status, " (request \0)\n"sv);
}

std::string make_redirect_line(int status) {
  using namespace std::string_view_literals;
  return make_line(status, " \0\n"sv);
}

/// Of one kind, each made when it is first asked for.
class Texts {
 public:
  explicit Texts(std::string (*make)(int)) : make_(make) {}
  StatusText get(int status, std::string_view middle, std::string_view type) {
    if (status < kFirst || status > kLast) return {};
    std::string& text = texts_[static_cast<std::size_t>(status - kFirst)];
    if (text.empty()) text = make_(status);
    const std::size_t at = std::min(text.find(kMiddle), text.size());
    const std::string_view whole = text;
    return {whole.substr(0, at), middle, whole.substr(std::min(at + 1, whole.size())), type};
  }

 private:
  std::string (*make_)(int);
  std::array<std::string, kLast - kFirst + 1> texts_;
};

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";

/// A link to it is one that a browser may be given: a path, or on the web. Never javascript:.
bool is_link(std::string_view location) noexcept {
  const auto colon = location.find(':');
  if (colon == location.npos || location.find_first_of("/?#") < colon) return true;
  return iequals(location.substr(0, colon), "http") || iequals(location.substr(0, colon), "https");
}

}  // namespace

StatusText error_text(int status, TextForm form, std::string_view request_id) {
  thread_local Texts pages(&make_error_page);
  thread_local Texts problems(&make_problem);
  thread_local Texts lines(&make_error_line);
  if (form == TextForm::html) return pages.get(status, request_id, kHtml);
  if (form == TextForm::json) return problems.get(status, request_id, "application/problem+json");
  return lines.get(status, request_id, kPlain);
}

StatusText status_text(int status, TextForm form, std::string_view location, std::string& escaped) {
  thread_local Texts bare_pages(&make_bare_page);
  thread_local Texts bare_lines(&make_bare_line);
  thread_local Texts pages(&make_redirect_page);
  thread_local Texts lines(&make_redirect_line);
  if (location.empty()) {
    return form == TextForm::html ? bare_pages.get(status, {}, kHtml)
                                  : bare_lines.get(status, {}, kPlain);
  }
  if (form != TextForm::html) return lines.get(status, location, kPlain);
  if (!is_link(location)) return bare_pages.get(status, {}, kHtml);
  append_html(escaped, location);
  return pages.get(status, escaped, kHtml);
}

std::string_view status_page_policy() noexcept {
  static const std::string policy =
      "default-src 'none'; style-src 'sha256-" + std::string(kStyleHash.data(), kStyleHash.size()) +
      "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return policy;
}

}  // namespace pronghorn::server

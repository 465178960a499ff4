// SPDX-License-Identifier: Apache-2.0
#include "server/error_page.h"

#include "server/status.h"
#include "server/style_hash.h"

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

std::string make_page(int status) {
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
  if (status >= 400) page += "<p><a href=\"/\">To the start page</a>\n";
  return page;
}

// Phrases and advice have neither quotes nor backslashes (a test looks).
std::string make_problem(int status) {
  std::string text = "{\"type\":\"about:blank\",\"title\":\"";
  text.append(reason_phrase(status)).append("\",\"status\":").append(std::to_string(status));
  if (auto advice = status_advice(status); !advice.empty())
    text.append(",\"detail\":\"").append(advice).append("\"");
  return text + "}\n";
}

std::string make_line(int status) {
  std::string text = std::to_string(status);
  if (auto phrase = reason_phrase(status); !phrase.empty()) text.append(" ").append(phrase);
  if (auto advice = status_advice(status); !advice.empty()) text.append(": ").append(advice);
  return text + "\n";
}

using Texts = std::array<std::string, kLast - kFirst + 1>;

std::string_view kept(Texts& texts, int status, std::string (*make)(int)) {
  if (status < kFirst || status > kLast) return {};
  std::string& text = texts[static_cast<std::size_t>(status - kFirst)];
  if (text.empty()) text = make(status);
  return text;
}

}  // namespace

std::string_view status_page(int status) {
  thread_local Texts pages;
  return kept(pages, status, &make_page);
}

StatusText status_text(int status, TextForm form) {
  if (form == TextForm::html) return {status_page(status), "text/html; charset=utf-8"};
  if (form == TextForm::json && status >= 400) {
    thread_local Texts problems;
    return {kept(problems, status, &make_problem), "application/problem+json"};
  }
  thread_local Texts lines;
  return {kept(lines, status, &make_line), "text/plain; charset=utf-8"};
}

std::string_view status_page_policy() noexcept {
  static const std::string policy =
      "default-src 'none'; style-src 'sha256-" + std::string(kStyleHash.data(), kStyleHash.size()) +
      "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return policy;
}

}  // namespace pronghorn::server

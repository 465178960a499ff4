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

}  // namespace

std::string_view status_page(int status) {
  thread_local std::array<std::string, kLast - kFirst + 1> pages;
  if (status < kFirst || status > kLast) return {};
  std::string& page = pages[static_cast<std::size_t>(status - kFirst)];
  if (page.empty()) page = make_page(status);
  return page;
}

std::string_view status_page_policy() noexcept {
  static const std::string policy =
      "default-src 'none'; style-src 'sha256-" + std::string(kStyleHash.data(), kStyleHash.size()) +
      "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return policy;
}

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// A listing as text: HTML for people, JSON for programs.
#include "base/text.h"
#include "server/html_text.h"
#include "server/listing.h"
#include "server/path.h"
#include "server/style_hash.h"

#include <array>
#include <ctime>
#include <memory>
#include <utility>

namespace pronghorn::server {
namespace {

constexpr std::string_view kStyle =
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .5rem;"
    "border-bottom:1px solid #8884}td:nth-child(2),th:nth-child(2){text-align:right}"
    "td:nth-child(n+2){white-space:nowrap}td a{overflow-wrap:anywhere}"
    "@media(max-width:480px){td:nth-child(3),th:nth-child(3){display:none}}";
constexpr auto kStyleHash = sha256_base64(kStyle);

const std::string& policy() {
  static const std::string text = "default-src 'none'; style-src 'sha256-" +
                                  std::string(kStyleHash.data(), kStyleHash.size()) +
                                  "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return text;
}

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for_each_character(text, [&](std::string_view character) {
    auto byte = static_cast<unsigned char>(character.front());
    if (byte < 0x20) {
      out.append({'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]});
    } else {
      if (byte == '"' || byte == '\\') out += '\\';
      out += character;
    }
  });
  out += '"';
}

/// `format` of strftime(3), in UTC.
void append_time(std::string& out, std::time_t time, const char* format) {
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  char text[32];
  out.append(text, std::strftime(text, sizeof text, format, &utc));
}

constexpr const char* kIsoTime = "%Y-%m-%dT%H:%M:%SZ";

/// "/", "/a/", "/a/b/": each a link but the last.
void append_breadcrumbs(std::string& out, std::string_view path) {
  out += "<nav aria-label=\"Folders\">";
  for (std::size_t from = 0; from < path.size();) {
    auto end = path.find('/', from) + 1;
    bool is_last = end == path.size();
    if (!is_last) {
      out += "<a href=\"";
      append_encoded_path(out, path.substr(0, end));
      out += "\">";
    }
    append_html(out, path.substr(from, end - from));
    out += is_last ? "" : "</a> ";
    from = end;
  }
  out += "</nav>\n";
}

void append_column(std::string& out, std::string_view title, std::string_view key, bool is_sorted,
                   bool descending) {
  out += "<th scope=col";
  if (is_sorted) out += descending ? " aria-sort=descending" : " aria-sort=ascending";
  out.append("><a href=\"?sort=").append(key);
  out += is_sorted && !descending ? "&amp;order=desc\">" : "&amp;order=asc\">";
  out.append(title).append("</a>");
}

void append_row(std::string& out, const Listing::Entry& entry) {
  std::string_view slash = entry.is_directory ? "/" : "";
  out += "<tr><td><a href=\"";
  append_encoded_path(out, entry.name);
  out.append(slash).append("\">");
  append_html(out, entry.name);
  out.append(slash).append("</a><td>");
  if (!entry.is_directory) out += format_bytes(entry.size);
  out += "<td><time datetime=\"";
  append_time(out, entry.modified, kIsoTime);
  out += "\">";
  append_time(out, entry.modified, "%Y-%m-%d %H:%M");
  out += "</time>\n";
}

}  // namespace

std::string Listing::html(std::string_view path, Order order) const {
  std::string out =
      "<!doctype html>\n<html lang=en><meta charset=utf-8>"
      "<meta name=viewport content=\"width=device-width\">"
      "<meta name=color-scheme content=\"light dark\"><meta name=robots content=noindex><title>";
  append_html(out, path);
  out.append("</title><style>").append(kStyle).append("</style>\n");
  append_breadcrumbs(out, path);
  out += "<table><thead><tr>";
  append_column(out, "Name", "name", order.key == Key::name, order.descending);
  append_column(out, "Size", "size", order.key == Key::size, order.descending);
  append_column(out, "Changed (UTC)", "time", order.key == Key::time, order.descending);
  out += "\n<tbody>\n";
  for (const Entry& entry : entries) append_row(out, entry);
  out += "</table>\n";
  if (entries.empty()) out += "<p>This folder is empty.\n";
  if (is_cut) {
    out += "<p>There is more in this folder: only " + std::to_string(kMostEntries) +
           " of its names were read.\n";
  }
  return out;
}

std::string Listing::json() const {
  std::string out = "[";
  for (const Entry& entry : entries) {
    out += out.size() == 1 ? "\n{\"name\":" : ",\n{\"name\":";
    append_json(out, entry.name);
    out += entry.is_directory ? ",\"type\":\"directory\"" : ",\"type\":\"file\"";
    if (!entry.is_directory) out += ",\"size\":" + std::to_string(entry.size);
    out += ",\"mtime\":\"";
    append_time(out, entry.modified, kIsoTime);
    out += "\"}";
  }
  return out + "\n]\n";
}

Response listing_response(std::shared_ptr<const std::string> page, bool is_json, bool is_cut) {
  Response response;
  response.body(std::move(page));
  if (is_json) {
    response.type("application/json");
    if (is_cut) response.header("X-Listing-Cut", "true");
  } else {
    response.type("text/html; charset=utf-8");
    response.header("Content-Security-Policy", policy());
  }
  response.header("Cache-Control", "no-cache");
  response.header("Vary", "Accept");
  return response;
}

}  // namespace pronghorn::server

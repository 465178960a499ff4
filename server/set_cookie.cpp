// SPDX-License-Identifier: Apache-2.0
// The Set-Cookie field: nothing that a program puts into a cookie can become another attribute or
// another field.
#include <pronghorn/server/cookie.h>
#include <pronghorn/server/date.h>

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn {
namespace {

// Browsers ignore what is longer (RFC 6265bis §5.6).
constexpr std::size_t kMostPair = 4096;
constexpr std::size_t kMostAttribute = 1024;
// Of a date with four digits of year that browsers take: 1601 to 9999.
constexpr std::time_t kFirstDate = -11'644'473'600;
constexpr std::time_t kLastDate = 253'402'300'799;

// cookie-octet
bool is_cookie_octet(char c) noexcept {
  return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

bool is_value(std::string_view value) noexcept {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return std::ranges::all_of(value, is_cookie_octet);
}

// path-value = any byte but controls and ';'
bool is_path(std::string_view path) noexcept {
  return path.starts_with('/') && std::ranges::all_of(path, [](char c) {
           return static_cast<unsigned char>(c) >= ' ' && c != 0x7f && c != ';';
         });
}

bool is_domain(std::string_view domain) noexcept {
  return std::ranges::all_of(domain, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
}

bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
  return server::iequals(name.substr(0, prefix.size()), prefix);
}

/// What is wrong with it; empty when nothing is.
std::string_view fault(const SetCookie& c) noexcept {
  if (!server::is_token(c.name)) return "its name is no token";
  if (!is_value(c.value)) return "its value has a byte that cookies cannot hold";
  if (c.name.size() + c.value.size() > kMostPair) return "its name and value are over 4096 bytes";
  if (!is_domain(c.domain)) return "its domain is none";
  if (!c.path.empty() && !is_path(c.path)) return "its path is none";
  if (std::max(c.domain.size(), c.path.size()) > kMostAttribute) {
    return "an attribute is over 1024 bytes";
  }
  if (c.expires && (*c.expires < kFirstDate || *c.expires > kLastDate)) {
    return "it expires outside of the years 1601 to 9999";
  }
  if (c.same_site == SameSite::none && !c.secure) return "SameSite=None needs Secure";
  if (c.partitioned && !c.secure) return "Partitioned needs Secure";
  // RFC 6265bis §4.1.3: without what they promise, browsers drop the cookie.
  if (has_prefix(c.name, "__Secure-") && !c.secure) return "__Secure- needs Secure";
  if (has_prefix(c.name, "__Host-") && (!c.secure || c.path != "/" || !c.domain.empty())) {
    return "__Host- needs Secure and Path=/, and no Domain";
  }
  return {};
}

std::string_view text(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::strict:
      return "; SameSite=Strict";
    case SameSite::lax:
      return "; SameSite=Lax";
    case SameSite::none:
      return "; SameSite=None";
    case SameSite::unset:
      break;
  }
  return {};
}

}  // namespace

Result<std::string> format_set_cookie(const SetCookie& cookie) {
  if (auto wrong = fault(cookie); !wrong.empty()) {
    return std::unexpected(
        Error(Errc::invalid_arg_value, "the cookie cannot be set: " + std::string(wrong)));
  }
  std::string out = cookie.name + "=" + cookie.value;
  if (cookie.expires) out += "; Expires=" + server::format_http_date(*cookie.expires);
  if (cookie.max_age) out += "; Max-Age=" + std::to_string(cookie.max_age->count());
  if (!cookie.domain.empty()) out += "; Domain=" + cookie.domain;
  if (!cookie.path.empty()) out += "; Path=" + cookie.path;
  if (cookie.secure) out += "; Secure";
  if (cookie.http_only) out += "; HttpOnly";
  out += text(cookie.same_site);
  if (cookie.partitioned) out += "; Partitioned";
  return out;
}

Result<void> set_cookie(Response& response, const SetCookie& cookie) {
  auto value = format_set_cookie(cookie);
  if (!value) return std::unexpected(value.error());
  response.header("Set-Cookie", std::move(*value));
  return {};
}

}  // namespace pronghorn

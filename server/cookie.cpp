// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/cookie.h>

#include "server/syntax.h"

namespace pronghorn {
namespace {

/// Takes the next cookie off a Cookie field (RFC 6265bis §4.2.1).
std::optional<Cookie> next_cookie(std::string_view& field) noexcept {
  const auto end = field.find(';');
  const std::string_view pair = field.substr(0, end);
  field = end == std::string_view::npos ? std::string_view() : field.substr(end + 1);
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const Cookie cookie{server::trim_ows(pair.substr(0, equals)),
                      server::trim_ows(pair.substr(equals + 1))};
  // A nameless cookie could claim any name: `=__Host-id=1` (RFC 6265bis §5.7, step 22).
  if (cookie.name.empty()) return std::nullopt;
  return cookie;
}

/// Calls `visit` for each cookie until it returns true. HTTP/2 cuts the field into several
/// (RFC 9113 §8.2.3), and so do some clients of HTTP/1.1.
template <class Visit>
void for_each_cookie(const Request& request, Visit visit) {
  for (const Field& header : request.headers()) {
    if (!server::is_field(header.name, "cookie")) continue;
    std::string_view field = header.value;
    while (!field.empty()) {
      if (auto cookie = next_cookie(field); cookie && visit(*cookie)) return;
    }
  }
}

}  // namespace

std::optional<std::string_view> cookie(const Request& request, std::string_view name) noexcept {
  std::optional<std::string_view> value;
  for_each_cookie(request, [&](const Cookie& cookie) {
    if (cookie.name == name) value = cookie.value;
    return value.has_value();
  });
  return value;
}

std::vector<Cookie> cookies(const Request& request, std::size_t most) {
  std::vector<Cookie> all;
  if (most == 0) return all;
  for_each_cookie(request, [&](const Cookie& cookie) {
    all.push_back(cookie);
    return all.size() == most;
  });
  return all;
}

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// Host and authority. Stricter than RFC 3986 in three points: no ',' in names (two Host lines
// joined by someone on the way), no IPvFuture and no zone (neither means anything to a server's
// client).
#include "server/syntax.h"
#include "server/target.h"

#include <arpa/inet.h>
#include <cstring>

namespace pronghorn::server {
namespace {

bool is_valid_port(std::string_view port) noexcept {
  unsigned value = 0;
  for (char c : port) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65535) return false;
  }
  return true;  // "localhost:" is valid: *DIGIT
}

bool is_valid_ipv6(std::string_view text) noexcept {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.contains('\0')) return false;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  in6_addr ignored;
  return inet_pton(AF_INET6, copy, &ignored) == 1;
}

bool is_valid_name(std::string_view name) noexcept {
  if (name.empty() || !all_class(name, kRegName)) return false;
  for (auto at = name.find('%'); at != std::string_view::npos; at = name.find('%', at + 3)) {
    if (name.size() - at < 3 || !all_class(name.substr(at + 1, 2), kHexDigit)) return false;
  }
  return true;
}

}  // namespace

bool is_valid_host(std::string_view host) noexcept {
  if (host.starts_with('[')) {
    auto close = host.find(']');
    if (close == std::string_view::npos || !is_valid_ipv6(host.substr(1, close - 1))) return false;
    std::string_view rest = host.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_valid_port(rest.substr(1)));
  }
  auto colon = host.find(':');
  std::string_view name = host.substr(0, colon);
  return is_valid_name(name) &&
         (colon == std::string_view::npos || is_valid_port(host.substr(colon + 1)));
}

}  // namespace pronghorn::server

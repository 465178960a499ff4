// SPDX-License-Identifier: Apache-2.0
// Host and authority. Stricter than RFC 3986 where two readers could see two hosts: no ',' in names
// (two Host lines joined by someone on the way), no '%' (who decodes first?), no empty label, and
// what ends in a number is an IPv4 address in its usual form or nothing, as in the URL standard
// ("0x7f.1" and "017700000001" are 127.0.0.1 to inet_aton). No IPvFuture and no zone: neither means
// anything to a server's client.
#include "server/syntax.h"
#include "server/target.h"

#include <arpa/inet.h>
#include <cstdint>
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

bool is_valid_ipv4(std::string_view text) noexcept {
  char copy[INET_ADDRSTRLEN];
  if (text.size() >= sizeof copy) return false;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  in_addr ignored;
  return inet_pton(AF_INET, copy, &ignored) == 1;  // four decimal parts, no leading zeros
}

// URL standard, "ends in a number": digits, or hexadecimal ones after "0x".
bool is_number(std::string_view label) noexcept {
  if (label.starts_with("0x") || label.starts_with("0X")) {
    return all_class(label.substr(2), kHexDigit);
  }
  return label.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_valid_name(std::string_view name) noexcept {
  if (!all_class(name, kRegName)) return false;
  if (name.ends_with('.')) name.remove_suffix(1);  // the root of the domain names
  if (name.empty() || name.starts_with('.') || name.ends_with('.') || name.contains("..")) {
    return false;
  }
  std::string_view last = name.substr(name.rfind('.') + 1);
  return !is_number(last) || is_valid_ipv4(name);
}

bool looks_valid(std::string_view host) noexcept {
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

/// The last host that was valid: nearly all that come are that one again.
class LastValid {
 public:
  bool is(std::string_view host) const noexcept {
    return size_ != 0 && host == std::string_view(text_, size_);
  }
  void set(std::string_view host) noexcept {
    if (host.size() <= sizeof text_)
      size_ = static_cast<std::uint8_t>(host.copy(text_, sizeof text_));
  }

 private:
  char text_[63];
  std::uint8_t size_ = 0;
};

}  // namespace

bool is_valid_host(std::string_view host) noexcept {
  thread_local LastValid last;
  if (last.is(host)) return true;
  if (!looks_valid(host)) return false;
  last.set(host);
  return true;
}

}  // namespace pronghorn::server

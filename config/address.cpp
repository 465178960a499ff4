// SPDX-License-Identifier: Apache-2.0
#include "config/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>
#include <sys/un.h>

namespace pronghorn::config {
namespace {

// sun_path holds a terminating NUL too (unix(7)).
constexpr std::size_t kLongestSocketPath = sizeof(sockaddr_un{}.sun_path) - 1;

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

std::unexpected<Complaint> bad(std::string_view text, std::string_view what,
                               std::string suggestion = {}) {
  return std::unexpected(Complaint{"bad-value", "'" + std::string(text) + "' " + std::string(what),
                                   std::move(suggestion)});
}

bool is_ipv4(const std::string& host) {
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address;
  const std::string without_zone = host.substr(0, host.find('%'));
  return inet_pton(AF_INET6, without_zone.c_str(), &address) == 1;
}

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= 65535;
}

std::string plausible(std::string guess) { return parse_address(guess) ? guess : std::string(); }

Checked<ListenAddress> parse_unix(std::string_view text) {
  const std::string_view path = text.substr(5);
  if (path.empty()) return bad(text, "has no path", "unix:pronghorn.sock");
  if (path.find('\0') != std::string_view::npos) return bad("unix:", "path has a NUL byte");
  if (path.size() > kLongestSocketPath) {
    return bad(text, "is too long: the path of a unix socket has at most " +
                         std::to_string(kLongestSocketPath) + " bytes, this one has " +
                         std::to_string(path.size()));
  }
  return ListenAddress{.host = {}, .port = 0, .path = std::string(path)};
}

Checked<ListenAddress> without_port(std::string_view text) {
  const std::string whole(text);
  if (all_of(text, kDigits)) {
    return bad(text, "is not HOST:PORT or unix:PATH", plausible("127.0.0.1:" + whole));
  }
  if (text.find('/') != std::string_view::npos) {
    return bad(text, "is not HOST:PORT or unix:PATH", plausible("unix:" + whole));
  }
  return bad(text, "has no port", plausible((text == "*" ? "0.0.0.0" : whole) + ":8080"));
}

Checked<std::uint16_t> parse_port(std::string_view whole, std::string_view text) {
  if (text.empty()) return bad(whole, "has no port", plausible(std::string(whole) + "8080"));
  if (!all_of(text, kDigits)) {
    return bad(whole, "has a port that is not a number: '" + std::string(text) + "'");
  }
  if (!is_port(text)) return bad(whole, "has a port above 65535");
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<std::uint16_t>(value);
}

Checked<ListenAddress> with_host(std::string_view text, std::string host, std::string_view port,
                                 bool bracketed) {
  const std::string tail = ":" + std::string(port);
  if (host.empty()) {
    return bad(text, "has no host (0.0.0.0 is every address of this machine)",
               plausible("127.0.0.1" + tail));
  }
  if (bracketed) {
    if (!is_ipv6(host)) return bad(text, "has no IPv6 address between its brackets");
  } else if (host == "*") {
    return bad(text, "names no address", plausible("0.0.0.0" + tail));
  } else if (host.find(':') != std::string::npos) {
    // "::1:8080" is an IPv6 address as a whole too, but who writes it means the port.
    const std::string with_port = plausible("[" + host + "]" + tail);
    return bad(text, "needs brackets around the IPv6 address",
               !with_port.empty() ? with_port : plausible("[" + std::string(text) + "]:8080"));
  } else if (!all_of(host, kNameCharacters)) {
    return bad(text, "is not HOST:PORT or unix:PATH");
  } else if (all_of(host, "0123456789.") && !is_ipv4(host)) {
    return bad(text, "has no IPv4 address before its port");
  }
  auto number = parse_port(text, port);
  if (!number) return std::unexpected(number.error());
  return ListenAddress{.host = std::move(host), .port = *number, .path = {}};
}

std::optional<std::string_view> after_scheme(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://", "tcp://"}) {
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
      return text.substr(0, text.find('/'));
    }
  }
  return std::nullopt;
}

}  // namespace

Checked<ListenAddress> parse_address(std::string_view text) {
  if (text.empty()) return bad(text, "is not HOST:PORT or unix:PATH", "127.0.0.1:8080");
  if (text.starts_with("unix:")) return parse_unix(text);
  if (const auto rest = after_scheme(text)) {
    const bool has_port = rest->find(':') != std::string_view::npos;
    return bad(text, "is not HOST:PORT or unix:PATH",
               plausible(std::string(*rest) + (has_port ? "" : ":80")));
  }
  if (text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad(text, "has no ']' after the IPv6 address");
    const std::string_view rest = text.substr(end + 1);
    if (!rest.starts_with(':')) {
      return bad(text, "has no port", plausible(std::string(text.substr(0, end + 1)) + ":8080"));
    }
    return with_host(text, std::string(text.substr(1, end - 1)), rest.substr(1), true);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return without_port(text);
  return with_host(text, std::string(text.substr(0, colon)), text.substr(colon + 1), false);
}

}  // namespace pronghorn::config

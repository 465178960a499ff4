// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/config/config.h>

#include "config/address.h"

#include <algorithm>

namespace pronghorn::config {

std::string ListenAddress::text() const {
  if (is_unix()) return "unix:" + path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return std::unexpected(Error(address.error().text()));
  return *address;
}

bool Site::count_clients() const noexcept {
  return std::ranges::any_of(rate_limits,
                             [](const RateRule& rule) { return rule.requests_per_second != 0; });
}

bool Config::count_clients() const noexcept {
  return limits.count_clients() || Site::count_clients() ||
         std::ranges::any_of(listeners, [](const auto& l) { return l.limits.count_clients(); }) ||
         std::ranges::any_of(hosts, [](const Host& host) { return host.site.count_clients(); });
}

}  // namespace pronghorn::config

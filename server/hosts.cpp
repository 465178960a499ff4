// SPDX-License-Identifier: Apache-2.0
#include "server/hosts.h"

#include "server/syntax.h"

#include <algorithm>

namespace pronghorn::server {
namespace {

constexpr std::size_t kLongestName = 255;

// uri-host [ ":" port ] (RFC 9110 §7.2) was checked by is_valid_host().
std::string_view without_port(std::string_view host) noexcept {
  auto end = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  host = host.substr(0, end);
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  return host;
}

}  // namespace

void HostTable::add(std::string_view name, std::size_t site) {
  auto& entries = name.starts_with("*.") ? below_ : exact_;
  if (name.starts_with("*.")) name.remove_prefix(2);
  auto at = std::ranges::lower_bound(entries, name, {}, &Entry::name);
  if (at != entries.end() && at->name == name) return;
  entries.insert(at, {std::string(name), site});
}

std::optional<std::size_t> HostTable::find(std::string_view host) const noexcept {
  host = without_port(host);
  if (host.empty() || host.size() > kLongestName) return std::nullopt;
  char lower[kLongestName];
  std::ranges::transform(host, lower, to_lower);
  std::string_view name(lower, host.size());
  if (const Entry* entry = look_up(exact_, name)) return entry->site;
  if (below_.empty()) return std::nullopt;
  for (auto dot = name.find('.'); dot != name.npos && dot > 0; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    if (const Entry* entry = look_up(below_, name)) return entry->site;
  }
  return std::nullopt;
}

const HostTable::Entry* HostTable::look_up(const std::vector<Entry>& entries,
                                           std::string_view name) noexcept {
  auto at = std::ranges::lower_bound(entries, name, {}, &Entry::name);
  return at != entries.end() && at->name == name ? &*at : nullptr;
}

}  // namespace pronghorn::server

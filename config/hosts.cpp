// SPDX-License-Identifier: Apache-2.0
// The [[hosts]] tables: sites by name, each with the keys that the default site has.
#include "config/site_text.h"
#include "config/suggest.h"
#include "config/table_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace pronghorn::config {
namespace {

// Each has a descriptor of its root in every worker.
constexpr std::size_t kMostHosts = 256;
constexpr std::array<std::string_view, 4> kKeys = {"root", "index", "listing", "fallback"};

struct HostReader : TableReader {
  void read_names(Host& host, Origin& origin, const Node& value) {
    constexpr std::string_view wanted = "a name in quotes, or an array of them";
    const bool is_array = value.kind == Node::Kind::array;
    for (const Node& node : is_array ? std::span(value.items) : std::span(&value, 1)) {
      const std::string given = text("'hosts.names'", node, wanted);
      if (given.empty() && !good) continue;
      auto name = host_name(given);
      if (!name) {
        fail(node.span, name.error());
        continue;
      }
      refuse_taken(*name, node.span);
      if (std::ranges::find(host.names, *name) != host.names.end()) {
        fail(node.span, {"duplicate-host", fmt::format("'{}' is here a second time", *name), {}});
      }
      host.names.push_back(std::move(*name));
      origin.items.push_back(node.span);
    }
    if (value.kind == Node::Kind::array && value.items.empty()) {
      fail(value.span, {"bad-value", "'hosts.names' is empty", {}});
    }
  }

  void refuse_taken(const std::string& name, const Span& span) {
    const auto& hosts = outcome.config.hosts;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      const auto at = std::ranges::find(hosts[i].names, name);
      if (at == hosts[i].names.end()) continue;
      const auto index = static_cast<std::size_t>(at - hosts[i].names.begin());
      const Span& taken = outcome.host_origins[i].names.items[index];
      fail(span, {"duplicate-host",
                  fmt::format("the host '{}' is in line {} already", name, taken.line),
                  {}});
    }
  }

  void read_key(Config& into, SiteOrigins& origins, const Member& member) {
    const Key& key = *find_key(member.key);
    Origin origin = origin_at(member.value.span);
    const auto value = read_value(outcome, key, member.value, origin, environment,
                                  fmt::format("'hosts.{}'", member.key));
    if (!value) {
      good = false;
      return;
    }
    key.write(into, *value);
    origins.keys[member.key] = std::move(origin);
  }

  void read(const Node& table) {
    good = true;
    std::vector<std::string_view> known(kKeys.begin(), kKeys.end());
    known.insert(known.end(), kSiteRules.begin(), kSiteRules.end());
    known.emplace_back("names");
    Host host;
    Config keys;  // a place for keys that write to a configuration
    SiteOrigins origins;
    bool has_names = false;
    for (const Member& member : table.members) {
      if (member.key == "names") {
        has_names = true;
        origins.names = origin_at(member.value.span);
        read_names(host, origins.names, member.value);
      } else if (std::ranges::find(kKeys, member.key) != kKeys.end()) {
        read_key(keys, origins, member);
      } else if (std::ranges::find(kSiteRules, member.key) != kSiteRules.end()) {
        if (!apply_site_rules(outcome, member, environment, "hosts.", keys, origins)) good = false;
      } else {
        unknown("hosts", member, known);
      }
    }
    if (!has_names) fail(table.span, {"missing-key", "this host has no 'names'", {}});
    if (outcome.config.hosts.size() == kMostHosts) {
      fail(table.span, {"too-many", fmt::format("there are at most {} [[hosts]]", kMostHosts), {}});
    }
    if (!good) return;
    host.site = static_cast<Site&&>(std::move(keys));
    outcome.config.hosts.push_back(std::move(host));
    outcome.host_origins.push_back(std::move(origins));
  }
};

}  // namespace

void apply_hosts(Outcome& outcome, const Node& hosts, const Environment& environment) {
  HostReader reader{{outcome, environment}};
  read_tables(reader, "hosts", hosts);
}

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
#include "config/local_values.h"

#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace pronghorn::config {
namespace {

// There is one table of clients and one queue for all, and the files do not know who asks.
constexpr std::array<std::string_view, 4> kOfTheServer = {"limits.clients", "limits.ipv6_prefix",
                                                          "limits.ranges", "limits.offload_queue"};

bool is_of_the_server(std::string_view name) {
  return std::ranges::find(kOfTheServer, name) != kOfTheServer.end();
}

std::vector<std::string_view> leaves(std::string_view section,
                                     std::span<const std::string_view> allowed) {
  std::vector<std::string_view> names;
  for (const Key& key : schema()) {
    if (key.section() != section || is_of_the_server(key.name)) continue;
    if (allowed.empty() || std::ranges::find(allowed, key.name) != allowed.end()) {
      names.push_back(key.leaf());
    }
  }
  return names;
}

}  // namespace

void read_local_values(TableReader& reader, std::string_view array, const Member& section,
                       std::span<const std::string_view> allowed, std::vector<LocalValue>& into) {
  if (section.value.kind != Node::Kind::table) {
    return reader.fail(section.value.span,
                       {"wrong-type",
                        fmt::format("'{0}.{1}' is a table: {1}.KEY = VALUE", array, section.key),
                        {}});
  }
  const auto here = leaves(section.key, allowed);
  for (const Member& member : section.value.members) {
    const std::string name = fmt::format("{}.{}", section.key, member.key);
    const std::string full = fmt::format("{}.{}", array, name);
    if (std::ranges::find(here, member.key) == here.end()) {
      Complaint complaint{"unknown-key", fmt::format("unknown key '{}'", full),
                          std::string(closest(member.key, here))};
      if (find_key(name) != nullptr) {
        complaint = {"unknown-key",
                     fmt::format("'{}' is not a limit of {}", name,
                                 array == "routes" ? "a route" : "a listener"),
                     {}};
      }
      reader.fail(member.span, complaint);
      continue;
    }
    const Key& key = *find_key(name);
    Origin origin;
    auto value = read_value(reader.outcome, key, member.value, origin, reader.environment,
                            fmt::format("'{}'", full));
    if (!value) {
      reader.good = false;
      continue;
    }
    into.push_back({&key, std::move(*value)});
  }
}

void apply_local_values(const std::vector<LocalValue>& values, Limits& limits, Timeouts& timeouts) {
  Config config;
  config.limits = limits;
  config.timeouts = timeouts;
  for (const LocalValue& each : values) each.key->write(config, each.value);
  limits = config.limits;
  timeouts = config.timeouts;
}

}  // namespace pronghorn::config

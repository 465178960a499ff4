// SPDX-License-Identifier: Apache-2.0
// The [[listeners]] tables: addresses with limits of their own. What they say holds only when
// everything else has been read, as it changes what [limits] and [timeouts] say in the end.
#include "config/address.h"
#include "config/local_values.h"
#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pronghorn::config {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"address", "limits", "timeouts"};

struct ListenerReader : TableReader {
  void read_address(ListenerTable& table, Node value) {
    if (value.kind != Node::Kind::text) {
      fail(value.span,
           {"wrong-type",
            fmt::format("'listeners.address' must be text in quotes, not {}", value.text),
            {}});
      return;
    }
    if (!substitute_node(outcome, value, environment)) {
      good = false;
      return;
    }
    auto address = parse_address(value.text);
    if (!address) {
      Complaint complaint = address.error();
      complaint.message = "'listeners.address': " + complaint.message;
      return fail(value.span, complaint);
    }
    table.address = std::move(*address);
    for (const ListenerTable& other : outcome.listener_tables) {
      if (other.address != table.address) continue;
      fail(value.span, {"duplicate-listener",
                        fmt::format("the limits of '{}' are in line {} already",
                                    table.address.text(), other.origin.span.line),
                        {}});
    }
  }

  void read(const Node& node) {
    good = true;
    ListenerTable table{
        .address = {},
        .values = {},
        .origin = {
            .kind = Origin::Kind::file, .name = outcome.file, .span = node.span, .items = {}}};
    bool has_address = false;
    for (const Member& member : node.members) {
      if (member.key == "address") {
        has_address = true;
        table.origin.span = member.value.span;
        read_address(table, member.value);
      } else if (member.key == "limits" || member.key == "timeouts") {
        read_local_values(*this, "listeners", member, {}, table.values);
      } else {
        fail(member.span, {"unknown-key", fmt::format("unknown key 'listeners.{}'", member.key),
                           std::string(closest(member.key, kKeys))});
      }
    }
    if (good && !has_address) {
      fail(node.span, {"missing-key", "this listener has no 'address'", {}});
    }
    if (good) outcome.listener_tables.push_back(std::move(table));
  }
};

}  // namespace

void apply_listeners(Outcome& outcome, const Node& listeners, const Environment& environment) {
  ListenerReader reader{{outcome, environment}};
  read_tables(reader, "listeners", listeners);
}

void settle_listeners(Outcome& outcome) {
  std::vector<ListenAddress>& listen = outcome.config.listen;
  Origin& origin = outcome.origins["listen"];
  // What was said on the command line or in the environment replaces the addresses of the file, and
  // these are of the file.
  const bool replaced =
      origin.kind == Origin::Kind::command_line || origin.kind == Origin::Kind::environment;
  for (const ListenerTable& table : outcome.listener_tables) {
    if (origin.kind == Origin::Kind::standard) {
      listen.clear();
      origin = table.origin;
    }
    if (std::ranges::find(listen, table.address) == listen.end()) {
      if (replaced) continue;
      listen.push_back(table.address);
      origin.items.push_back(table.origin.span);
    }
    Listener listener{.address = table.address,
                      .limits = outcome.config.limits,
                      .timeouts = outcome.config.timeouts};
    apply_local_values(table.values, listener.limits, listener.timeouts);
    outcome.config.listeners.push_back(std::move(listener));
    outcome.listener_origins.push_back(table.origin);
  }
  if (origin.kind == Origin::Kind::standard) outcome.origins.erase("listen");
}

}  // namespace pronghorn::config

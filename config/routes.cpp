// SPDX-License-Identifier: Apache-2.0
// The [[routes]] tables: how many there are is open.
#include "config/local_values.h"
#include "config/suggest.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pronghorn::config {
namespace {

constexpr std::array<std::string_view, 4> kRouteKeys = {"path", "handler", "text", "limits"};
constexpr std::array<std::string_view, 3> kLimits = {"limits.body", "limits.requests_per_second",
                                                     "limits.requests_burst"};
constexpr std::array<std::string_view, 2> kHandlers = {"echo", "text"};

struct RouteReader : TableReader {
  void read_text(Route& route, const Member& member, Node value) {
    const std::string subject = fmt::format("'routes.{}'", member.key);
    if (value.kind != Node::Kind::text) {
      fail(value.span, {"wrong-type",
                        fmt::format("{} must be text in quotes, not {}", subject, value.text),
                        {}});
      return;
    }
    if (!substitute_node(outcome, value, environment)) {
      good = false;
    } else if (member.key == "text") {
      route.text = value.text;
    } else if (member.key == "path") {
      if (!value.text.starts_with('/')) {
        const std::string guess = value.text.empty() ? "/" : "/" + value.text;
        fail(value.span,
             {"bad-value",
              fmt::format("{} must begin with '/', not {}", subject, toml_quoted(value.text)),
              guess});
      }
      route.path = value.text;
    } else if (value.text == "echo" || value.text == "text") {
      route.kind = value.text == "echo" ? Route::Kind::echo : Route::Kind::text;
    } else {
      fail(value.span, {"bad-value",
                        fmt::format("{} must be \"echo\" or \"text\", not {}", subject,
                                    toml_quoted(value.text)),
                        std::string(closest(value.text, kHandlers))});
    }
  }

  void read_limits(Route& route, const Member& section) {
    std::vector<LocalValue> values;
    read_local_values(*this, "routes", section, kLimits, values);
    for (const LocalValue& each : values) {
      const auto number = std::get<std::uint64_t>(each.value);
      if (each.key->leaf() == "body") {
        route.body_limit = number;
      } else {
        (each.key->leaf() == "requests_burst" ? route.requests_burst : route.requests_per_second) =
            number;
      }
    }
    if (good && route.requests_burst != 0 && route.requests_per_second == 0) {
      fail(section.span,
           {"missing-key",
            "'routes.limits.requests_burst' needs 'routes.limits.requests_per_second'",
            {}});
    }
  }

  void read(const Node& table) {
    good = true;
    Route route;
    Span path_span = table.span;
    const Member* text = nullptr;
    bool has_path = false;
    for (const Member& member : table.members) {
      if (std::ranges::find(kRouteKeys, member.key) == kRouteKeys.end()) {
        unknown("routes", member, kRouteKeys);
        continue;
      }
      if (member.key == "text") text = &member;
      if (member.key == "path") {
        has_path = true;
        path_span = member.value.span;
      }
      if (member.key == "limits") {
        read_limits(route, member);
      } else {
        read_text(route, member, member.value);
      }
    }
    if (good && !has_path) fail(table.span, {"missing-key", "this route has no 'path'", {}});
    if (good && route.kind == Route::Kind::text && text == nullptr) {
      fail(table.span, {"missing-key", "this route has no 'text' to answer with", {}});
    }
    if (good && route.kind == Route::Kind::echo && text != nullptr) {
      fail(text->span, {"bad-value",
                        "an \"echo\" route answers with the request's body, not with a 'text'",
                        {}});
    }
    if (!good) return;
    outcome.config.routes.push_back(std::move(route));
    outcome.route_origins.push_back(origin_at(path_span));
  }
};

}  // namespace

void apply_routes(Outcome& outcome, const Node& routes, const Environment& environment) {
  RouteReader reader{{outcome, environment}};
  read_tables(reader, "routes", routes);
}

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
// The rules of a site: [[cache_control]], [[headers]], [[redirects]], [[error_pages]] and
// [[rate_limits]], at the top level and in [[hosts]].
#include "config/site_text.h"
#include "config/suggest.h"
#include "config/table_reader.h"
#include "config/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace pronghorn::config {
namespace {

constexpr std::array<std::string_view, 2> kCacheKeys = {"match", "value"};
constexpr std::array<std::string_view, 4> kHeaderKeys = {"match", "remove", "set", "add"};
constexpr std::array<std::string_view, 3> kRedirectKeys = {"from", "to", "status"};
constexpr std::array<std::string_view, 2> kErrorPageKeys = {"status", "file"};
constexpr std::array<std::string_view, 3> kRateKeys = {"match", "requests_per_second",
                                                       "requests_burst"};
constexpr std::array<std::int64_t, 5> kRedirectStatus = {301, 302, 303, 307, 308};
constexpr std::int64_t kFirstError = 400;
constexpr std::int64_t kLastError = 599;

using Check = Checked<void> (*)(std::string_view);

struct RuleReader : TableReader {
  std::string name;  // "headers", "hosts.headers"

  std::string subject(const Member& member) const {
    return fmt::format("'{}.{}'", name, member.key);
  }

  void complain(const Span& span, const std::string& what, Complaint complaint) {
    complaint.message = fmt::format("{}: {}", what, complaint.message);
    fail(span, complaint);
  }

  std::string checked_text(const Member& member, Check check) {
    const bool before = std::exchange(good, true);
    std::string value = text(subject(member), member.value, "text in quotes");
    if (good) {
      if (auto ok = check(value); !ok) complain(member.value.span, subject(member), ok.error());
    }
    good = good && before;
    return value;
  }

  std::vector<std::string> checked_texts(const Member& member, Check check) {
    constexpr std::string_view wanted = "text in quotes, or an array of it";
    std::vector<std::string> values;
    const bool is_array = member.value.kind == Node::Kind::array;
    const std::span<const Node> nodes =
        is_array ? std::span(member.value.items) : std::span(&member.value, 1);
    for (const Node& node : nodes) {
      const bool before = std::exchange(good, true);
      values.push_back(text(subject(member), node, wanted));
      if (good) {
        if (auto ok = check(values.back()); !ok) complain(node.span, subject(member), ok.error());
      }
      good = good && before;
    }
    if (values.empty()) {
      fail(member.value.span, {"bad-value", fmt::format("{} is empty", subject(member)), {}});
    }
    return values;
  }

  HeaderRule::Fields fields(const Member& member) {
    if (member.value.kind != Node::Kind::table) {
      fail(member.value.span,
           {"wrong-type",
            fmt::format("{} must be a table of fields: {{ \"X-Name\" = \"value\" }}",
                        subject(member)),
            {}});
      return {};
    }
    HeaderRule::Fields found;
    for (const Member& field : member.value.members) {
      if (auto ok = check_field_name(field.key); !ok) {
        complain(field.span, subject(member), ok.error());
      }
      std::string value = text(fmt::format("'{}.{}.{}'", name, member.key, field.key), field.value,
                               "text in quotes");
      if (auto ok = check_field_value(value); !ok) {
        complain(field.value.span, subject(member), ok.error());
      }
      found.emplace_back(field.key, std::move(value));
    }
    return found;
  }

  /// Says it when the table has none of that name.
  const Member* find(const Node& table, std::string_view key, bool required = true) {
    for (const Member& member : table.members) {
      if (member.key == key) return &member;
    }
    if (required) {
      const auto dot = name.rfind('.');
      fail(table.span, {"missing-key",
                        fmt::format("this rule of '{}' has no '{}'",
                                    name.substr(dot == name.npos ? 0 : dot + 1), key),
                        {}});
    }
    return nullptr;
  }

  void refuse_unknown(const Node& table, std::span<const std::string_view> keys) {
    for (const Member& member : table.members) {
      if (std::ranges::find(keys, member.key) != keys.end()) continue;
      unknown(name, member, keys);
    }
  }
};

struct CacheReader : RuleReader {
  Site& site;
  std::vector<Origin>& origins;

  void read(const Node& table) {
    good = true;
    refuse_unknown(table, kCacheKeys);
    CacheRule rule;
    if (const Member* match = find(table, "match", false)) {
      rule.match = checked_texts(*match, &check_match);
    }
    const Member* value = find(table, "value");
    if (value == nullptr) return;
    rule.value = checked_text(*value, &check_field_value);
    if (good && rule.value.empty()) {
      fail(value->value.span, {"bad-value", fmt::format("{} is empty", subject(*value)), {}});
    }
    if (!good) return;
    site.cache_control.push_back(std::move(rule));
    origins.push_back(origin_at(value->value.span));
  }
};

struct HeaderReader : RuleReader {
  Site& site;
  std::vector<Origin>& origins;

  void read(const Node& table) {
    good = true;
    refuse_unknown(table, kHeaderKeys);
    HeaderRule rule;
    bool does_something = false;
    for (const Member& member : table.members) {
      does_something = does_something || member.key != "match";
      if (member.key == "match") rule.match = checked_texts(member, &check_match);
      if (member.key == "remove") rule.remove = checked_texts(member, &check_field_name);
      if (member.key == "set") rule.set = fields(member);
      if (member.key == "add") rule.add = fields(member);
    }
    if (good && !does_something) {
      fail(table.span,
           {"missing-key", "this rule of 'headers' has no 'set', 'add' or 'remove'", {}});
    }
    if (!good) return;
    site.headers.push_back(std::move(rule));
    origins.push_back(origin_at(table.span));
  }
};

struct RedirectReader : RuleReader {
  Site& site;
  std::vector<Origin>& origins;

  void read_status(Redirect& redirect, const Member& member) {
    const Node& value = member.value;
    if (value.kind != Node::Kind::integer ||
        std::ranges::find(kRedirectStatus, value.integer) == kRedirectStatus.end()) {
      const std::string shown =
          value.kind == Node::Kind::text ? toml_quoted(value.text) : value.text;
      fail(value.span, {"bad-value",
                        fmt::format("{} must be one of {}, not {}", subject(member),
                                    fmt::join(kRedirectStatus, ", "), shown),
                        {}});
      return;
    }
    redirect.status = static_cast<std::uint64_t>(value.integer);
  }

  void refuse_unreachable(const Redirect& redirect, const Span& span) {
    for (std::size_t i = 0; i < site.redirects.size(); ++i) {
      const std::string_view from = site.redirects[i].from;
      const bool hides =
          from == redirect.from ||
          (from.ends_with('*') && redirect.from.starts_with(from.substr(0, from.size() - 1)));
      if (!hides) continue;
      return fail(span, {"duplicate-redirect",
                         fmt::format("{} is redirected by line {} already",
                                     toml_quoted(redirect.from), origins[i].span.line),
                         {}});
    }
  }

  void read(const Node& table) {
    good = true;
    refuse_unknown(table, kRedirectKeys);
    const Member* from = find(table, "from");
    const Member* to = find(table, "to");
    Redirect redirect;
    if (from != nullptr) redirect.from = checked_text(*from, &check_redirect_from);
    if (good && to != nullptr) {
      redirect.to = text(subject(*to), to->value, "text in quotes");
      auto ok = check_redirect_to(redirect.to, redirect.from);
      if (good && !ok) complain(to->value.span, subject(*to), ok.error());
    }
    if (const Member* status = find(table, "status", false)) read_status(redirect, *status);
    if (good) refuse_unreachable(redirect, from->value.span);
    if (!good) return;
    site.redirects.push_back(std::move(redirect));
    origins.push_back(origin_at(from->value.span));
  }
};

struct ErrorPageReader : RuleReader {
  Site& site;
  std::vector<Origin>& origins;

  void read_status(ErrorPage& page, const Member& member) {
    const bool is_array = member.value.kind == Node::Kind::array;
    const std::span<const Node> nodes =
        is_array ? std::span(member.value.items) : std::span(&member.value, 1);
    for (const Node& node : nodes) {
      if (node.kind != Node::Kind::integer || node.integer < kFirstError ||
          node.integer > kLastError) {
        const std::string shown =
            node.kind == Node::Kind::text ? toml_quoted(node.text) : node.text;
        fail(node.span, {"bad-value",
                         fmt::format("{} must be the number of an error, {} to {}, not {}",
                                     subject(member), kFirstError, kLastError, shown),
                         {}});
        continue;
      }
      const auto status = static_cast<std::uint64_t>(node.integer);
      for (std::size_t i = 0; i < site.error_pages.size(); ++i) {
        if (std::ranges::find(site.error_pages[i].status, status) ==
            site.error_pages[i].status.end())
          continue;
        fail(node.span,
             {"duplicate-error-page",
              fmt::format("{} has its page in line {} already", status, origins[i].span.line),
              {}});
      }
      page.status.push_back(status);
    }
    if (nodes.empty()) {
      fail(member.value.span, {"bad-value", fmt::format("{} is empty", subject(member)), {}});
    }
  }

  void read(const Node& table) {
    good = true;
    refuse_unknown(table, kErrorPageKeys);
    const Member* status = find(table, "status");
    const Member* file = find(table, "file");
    ErrorPage page;
    if (status != nullptr) read_status(page, *status);
    if (file != nullptr) page.file = checked_text(*file, &check_site_file);
    if (!good) return;
    site.error_pages.push_back(std::move(page));
    origins.push_back(origin_at(file->value.span));
  }
};

struct RateReader : RuleReader {
  Site& site;
  std::vector<Origin>& origins;

  /// As limits.NAME is read.
  std::uint64_t number(const Member& member) {
    Origin origin;
    auto value = read_value(outcome, *find_key("limits." + member.key), member.value, origin,
                            environment, subject(member));
    if (!value) good = false;
    return value ? std::get<std::uint64_t>(*value) : 0;
  }

  /// Half of what a limit goes by is not known before the answer: a type.
  void read_match(RateRule& rule, const Member& member) {
    rule.match = checked_texts(member, [](std::string_view element) -> Checked<void> {
      if (auto ok = check_match(element); !ok) return ok;
      if (element.starts_with('/') || !element.contains('/')) return {};
      return std::unexpected(Complaint{
          "bad-value",
          fmt::format("{} is a media type, which is known too late; a path begins with '/'",
                      toml_quoted(element)),
          {}});
    });
  }

  void read(const Node& table) {
    good = true;
    refuse_unknown(table, kRateKeys);
    RateRule rule;
    if (const Member* match = find(table, "match", false)) read_match(rule, *match);
    const Member* rate = find(table, "requests_per_second");
    if (rate != nullptr) rule.requests_per_second = number(*rate);
    const Member* burst = find(table, "requests_burst", false);
    if (burst != nullptr) rule.requests_burst = number(*burst);
    if (good && rule.requests_burst != 0 && rule.requests_per_second == 0) {
      fail(burst->value.span, {"bad-value", "what is not limited has no 'requests_burst'", {}});
    }
    if (!good) return;
    site.rate_limits.push_back(std::move(rule));
    origins.push_back(origin_at(table.span));
  }
};

}  // namespace

bool apply_site_rules(Outcome& outcome, const Member& rules, const Environment& environment,
                      std::string_view prefix, Site& site, SiteOrigins& origins) {
  const std::size_t before = outcome.problems.size();
  const std::string name = fmt::format("{}{}", prefix, rules.key);
  const auto read_with = [&]<class Reader>(std::vector<Origin>& places) {
    Reader reader{{{outcome, environment}, name}, site, places};
    read_tables(reader, name, rules.value);
  };
  if (rules.key == "cache_control") {
    read_with.template operator()<CacheReader>(origins.cache_control);
  } else if (rules.key == "headers") {
    read_with.template operator()<HeaderReader>(origins.headers);
  } else if (rules.key == "redirects") {
    read_with.template operator()<RedirectReader>(origins.redirects);
  } else if (rules.key == "rate_limits") {
    read_with.template operator()<RateReader>(origins.rate_limits);
  } else {
    read_with.template operator()<ErrorPageReader>(origins.error_pages);
  }
  return outcome.problems.size() == before;
}

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
#include "config/print_site.h"

#include "config/value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pronghorn::config {
namespace {

std::string list(const std::vector<std::string>& texts) {
  std::vector<std::string> literals;
  for (const std::string& text : texts) literals.push_back(literal(text));
  return fmt::format("[{}]", fmt::join(literals, ", "));
}

/// Names of fields have characters that a bare key has not, such as '!'.
std::string table(const HeaderRule::Fields& fields) {
  std::vector<std::string> pairs;
  for (const auto& [name, value] : fields) {
    pairs.push_back(fmt::format("\"{}\" = {}", name, literal(value)));
  }
  return fmt::format("{{ {} }}", fmt::join(pairs, ", "));
}

void add(std::vector<Line>& lines, std::string_view key, const std::string& value,
         std::string origin = {}) {
  lines.push_back({fmt::format("{} = {}", key, value), std::move(origin)});
}

void add_list(std::vector<Line>& lines, std::string_view key,
              const std::vector<std::string>& texts) {
  if (!texts.empty()) add(lines, key, list(texts));
}

void begin_rule(std::vector<Line>& lines, std::string_view prefix, std::string_view name) {
  begin_table(lines, fmt::format("[[{}{}]]", prefix, name));
}

std::string origin_of(const std::vector<Origin>& origins, std::size_t i) {
  return i < origins.size() ? origins[i].text() : std::string();
}

}  // namespace

void begin_table(std::vector<Line>& lines, std::string header) {
  if (!lines.empty()) lines.push_back({});
  lines.push_back({std::move(header), {}});
}

void add_rules(std::vector<Line>& lines, const Site& site, const SiteOrigins& origins,
               std::string_view prefix) {
  for (std::size_t i = 0; i < site.cache_control.size(); ++i) {
    begin_rule(lines, prefix, "cache_control");
    add_list(lines, "match", site.cache_control[i].match);
    add(lines, "value", literal(site.cache_control[i].value), origin_of(origins.cache_control, i));
  }
  for (std::size_t i = 0; i < site.headers.size(); ++i) {
    const HeaderRule& rule = site.headers[i];
    begin_rule(lines, prefix, "headers");
    lines.back().origin = origin_of(origins.headers, i);
    add_list(lines, "match", rule.match);
    add_list(lines, "remove", rule.remove);
    if (!rule.set.empty()) add(lines, "set", table(rule.set));
    if (!rule.add.empty()) add(lines, "add", table(rule.add));
  }
  for (std::size_t i = 0; i < site.redirects.size(); ++i) {
    const Redirect& redirect = site.redirects[i];
    begin_rule(lines, prefix, "redirects");
    add(lines, "from", literal(redirect.from), origin_of(origins.redirects, i));
    add(lines, "to", literal(redirect.to));
    add(lines, "status", std::to_string(redirect.status));
  }
  for (std::size_t i = 0; i < site.error_pages.size(); ++i) {
    const ErrorPage& page = site.error_pages[i];
    begin_rule(lines, prefix, "error_pages");
    add(lines, "status", fmt::format("[{}]", fmt::join(page.status, ", ")));
    add(lines, "file", literal(page.file), origin_of(origins.error_pages, i));
  }
  for (std::size_t i = 0; i < site.rate_limits.size(); ++i) {
    const RateRule& rule = site.rate_limits[i];
    begin_rule(lines, prefix, "rate_limits");
    lines.back().origin = origin_of(origins.rate_limits, i);
    add_list(lines, "match", rule.match);
    add(lines, "requests_per_second", std::to_string(rule.requests_per_second));
    if (rule.requests_burst != 0) add(lines, "requests_burst", std::to_string(rule.requests_burst));
  }
}

void add_host(std::vector<Line>& lines, const Host& host, const SiteOrigins& origins) {
  const bool with_origins = origins.names.kind == Origin::Kind::file;
  begin_table(lines, "[[hosts]]");
  add(lines, "names", list(host.names), with_origins ? origins.names.text() : std::string());
  Config values;
  static_cast<Site&>(values) = host.site;
  for (const std::string_view name : {"root", "index", "listing", "fallback"}) {
    const Key& key = *find_key(name);
    const auto origin = origins.keys.find(name);
    add(lines, name, value_to_toml(key, key.read(values)),
        !with_origins                  ? std::string()
        : origin == origins.keys.end() ? Origin().text()
                                       : origin->second.text());
  }
  add_rules(lines, host.site, origins, "hosts.");
}

}  // namespace pronghorn::config

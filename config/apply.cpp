// SPDX-License-Identifier: Apache-2.0
#include "config/apply.h"

#include "config/suggest.h"
#include "config/toml_text.h"
#include "config/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace pronghorn::config {
namespace {

void report(Outcome& outcome, const Span& span, const Complaint& complaint) {
  outcome.problems.push_back(outcome.document.at(span, complaint));
}

void report(Outcome& outcome, const Complaint& complaint) {
  outcome.problems.push_back(make_problem(complaint));
}

/// The key that was probably meant; `section` is empty at the top level.
std::string_view meant_key(std::string_view section, std::string_view leaf) {
  if (const Alias* alias = find_alias(leaf)) return alias->key;
  std::vector<std::string_view> here;
  std::vector<std::string_view> everywhere;
  for (const Key& key : schema()) {
    if (key.section() == section) here.push_back(key.leaf());
    everywhere.push_back(key.leaf());
  }
  if (section.empty()) {
    for (const std::string_view name : {"log", "limits", "timeouts", "files", "types",
                                        "compression", "listeners", "routes", "programs", "hosts"})
      here.push_back(name);
    here.insert(here.end(), kSiteRules.begin(), kSiteRules.end());
  }
  const auto name_in = [&](std::string_view found) -> std::string_view {
    for (const Key& key : schema()) {
      if (key.section() == section && key.leaf() == found) return key.name;
    }
    return found;
  };
  if (const auto found = closest(leaf, here); !found.empty()) return name_in(found);
  if (const auto found = closest(leaf, everywhere); !found.empty()) {
    for (const Key& key : schema()) {
      if (key.leaf() == found) return key.name;
    }
  }
  return {};
}

void report_unknown(Outcome& outcome, std::string_view section, const Member& member) {
  const std::string name = section.empty() ? member.key : fmt::format("{}.{}", section, member.key);
  const std::string_view meant = meant_key(section, member.key);
  Complaint complaint{"unknown-key", fmt::format("unknown key '{}'", name), std::string(meant)};
  if (const Alias* alias = find_alias(member.key); alias != nullptr && alias->key.empty()) {
    complaint.message += fmt::format("; {}", alias->note);
  }
  Problem problem = outcome.document.at(member.span, complaint);
  // A section reaches to the next one (TOML 1.0, "Table"), which surprises people who append a key.
  if (!section.empty() && find_key(member.key) != nullptr) {
    problem.fact = fmt::format("'{}' stands above the first [section]", member.key);
  }
  outcome.problems.push_back(std::move(problem));
}

std::string shown(const Node& node) {
  return node.kind == Node::Kind::text ? toml_quoted(node.text) : node.text;
}

Checked<Value> scalar(const Key& key, const Node& node, std::string_view subject) {
  if (node.kind == Node::Kind::integer && key.type == Type::count) {
    return value_from_number(key, node.integer, subject);
  }
  if (node.kind == Node::Kind::boolean && key.type == Type::flag) return node.integer != 0;
  const bool unquoted = key.type == Type::count || key.type == Type::flag;
  const bool quoted_number = unquoted && !node.substituted && node.text != key.zero;
  if (node.kind != Node::Kind::text || quoted_number) {
    return std::unexpected(wrong_type(key, shown(node), subject));
  }
  return value_from_text(key, node.text, subject);
}

std::optional<Value> list(Outcome& outcome, const Key& key, Node& node, Origin& origin,
                          const Environment& environment, std::string_view subject) {
  std::vector<Node> single;
  if (node.kind == Node::Kind::text) single.push_back(node);
  if (node.kind != Node::Kind::text && node.kind != Node::Kind::array) {
    report(outcome, node.span, wrong_type(key, shown(node), subject));
    return std::nullopt;
  }
  Value value = empty_list(key);
  bool good = true;
  for (Node& item : single.empty() ? node.items : single) {
    if (item.kind != Node::Kind::text) {
      report(outcome, item.span, wrong_type(key, shown(item), subject));
      good = false;
    } else if (!substitute_node(outcome, item, environment)) {
      good = false;
    } else if (auto ok = append_element(key, value, item.text, subject); !ok) {
      report(outcome, item.span, ok.error());
      good = false;
    }
    origin.items.push_back(item.span);
  }
  if (good && origin.items.empty() && key.type == Type::addresses) {
    report(outcome, node.span,
           {"bad-value", fmt::format("{} must have at least one address", subject), {}});
    good = false;
  }
  return good ? std::optional(value) : std::nullopt;
}

void apply_key(Outcome& outcome, const Key& key, const Node& node, const Environment& environment) {
  Origin origin{.kind = Origin::Kind::file, .name = outcome.file, .span = node.span, .items = {}};
  const auto value =
      read_value(outcome, key, node, origin, environment, fmt::format("'{}'", key.name));
  if (!value) return;
  key.write(outcome.config, *value);
  outcome.origins[std::string(key.name)] = std::move(origin);
}

void apply_table(Outcome& outcome, std::string_view section, const Node& table,
                 const Environment& environment) {
  for (const Member& member : table.members) {
    const std::string name =
        section.empty() ? member.key : fmt::format("{}.{}", section, member.key);
    if (section.empty() && member.key == "routes") {
      apply_routes(outcome, member.value, environment);
    } else if (section.empty() && member.key == "types") {
      apply_types(outcome, member.value, environment);
    } else if (section.empty() && member.key == "listeners") {
      apply_listeners(outcome, member.value, environment);
    } else if (section.empty() && member.key == "programs") {
      apply_programs(outcome, member.value, environment);
    } else if (section.empty() && member.key == "hosts") {
      apply_hosts(outcome, member.value, environment);
    } else if (section.empty() && std::ranges::find(kSiteRules, member.key) != kSiteRules.end()) {
      apply_site_rules(outcome, member, environment, {}, outcome.config, outcome.site_origins);
    } else if (section.empty() && is_section(member.key)) {
      if (member.value.kind == Node::Kind::table) {
        apply_table(outcome, member.key, member.value, environment);
      } else {
        report(outcome, member.value.span,
               {"wrong-type", fmt::format("'{0}' is a section: [{0}]", member.key), {}});
      }
    } else if (const Key* key = find_key(name)) {
      apply_key(outcome, *key, member.value, environment);
    } else {
      report_unknown(outcome, section, member);
    }
  }
}

}  // namespace

std::optional<Value> read_value(Outcome& outcome, const Key& key, Node node, Origin& origin,
                                const Environment& environment, std::string_view subject) {
  if (is_list(key)) return list(outcome, key, node, origin, environment, subject);
  if (!substitute_node(outcome, node, environment)) return std::nullopt;
  auto checked = scalar(key, node, subject);
  if (checked) return std::move(*checked);
  report(outcome, node.span, checked.error());
  return std::nullopt;
}

bool substitute_node(Outcome& outcome, Node& node, const Environment& environment) {
  if (node.kind != Node::Kind::text) return true;
  auto substituted = substitute(node.text, environment);
  if (!substituted) {
    report(outcome, node.span, substituted.error());
    return false;
  }
  node.text = std::move(substituted->text);
  node.substituted = substituted->changed;
  return true;
}

void apply_document(Outcome& outcome, const Environment& environment) {
  apply_table(outcome, {}, outcome.document.root, environment);
}

void apply_environment(Outcome& outcome, const Environment& environment) {
  std::vector<std::string> names;
  for (const Key& key : schema()) names.push_back(key.environment_name());
  for (const auto& [variable, text] : environment) {
    // The first names the file; the second is how a master of ours boots its workers (ipc/boot.h).
    if (!variable.starts_with("PRONGHORN_") || variable == "PRONGHORN_CONFIG" ||
        variable == "PRONGHORN_BOOT")
      continue;
    if (text.empty()) continue;  // as good as unset, for compose files and units that always set it
    const auto at = std::find(names.begin(), names.end(), variable);
    if (at == names.end()) {
      const std::vector<std::string_view> views(names.begin(), names.end());
      Problem problem = make_problem({"unknown-variable",
                                      fmt::format("unknown environment variable '{}'", variable),
                                      std::string(closest(variable, views))});
      problem.severity = Problem::Severity::warning;
      outcome.problems.push_back(std::move(problem));
      continue;
    }
    const Key& key = schema()[static_cast<std::size_t>(at - names.begin())];
    auto value = value_from_text(key, text, variable);
    if (!value) {
      report(outcome, value.error());
      continue;
    }
    key.write(outcome.config, *value);
    outcome.origins[std::string(key.name)] = {
        .kind = Origin::Kind::environment, .name = variable, .span = {}, .items = {}};
  }
}

void apply_command_line(Outcome& outcome, const std::vector<Override>& overrides) {
  for (const Override& set : overrides) {
    const Key* key = find_key(set.key);
    if (key == nullptr || set.values.empty()) continue;
    Checked<Value> value = is_list(*key) ? Checked<Value>(empty_list(*key))
                                         : value_from_text(*key, set.values.back(), set.option);
    for (std::size_t i = 0; is_list(*key) && value && i < set.values.size(); ++i) {
      if (auto ok = append_element(*key, *value, set.values[i], set.option); !ok)
        value = std::unexpected(ok.error());
    }
    if (!value) {
      report(outcome, value.error());
      outcome.problems.back().on_command_line = true;
      continue;
    }
    key->write(outcome.config, *value);
    outcome.origins[set.key] = {
        .kind = Origin::Kind::command_line, .name = set.option, .span = {}, .items = {}};
  }
}

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
// What the readers of the arrays of tables share: [[routes]], [[programs]], [[hosts]] and the rules
// of a site.
#pragma once

#include "config/apply.h"
#include "config/schema.h"
#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace pronghorn::config {

struct TableReader {
  Outcome& outcome;
  const Environment& environment;
  bool good = true;  ///< the table that is being read

  void fail(const Span& span, const Complaint& complaint) {
    outcome.problems.push_back(outcome.document.at(span, complaint));
    good = false;
  }

  /// A table reaches to the next one (TOML 1.0, "Table"), so a key of the top level that is
  /// appended to the file ends up in the last of them.
  void unknown(std::string_view table, const Member& member,
               std::span<const std::string_view> known) {
    const bool is_top = find_key(member.key) != nullptr;
    const Alias* alias = is_top ? nullptr : find_alias(member.key);
    std::string message = fmt::format("unknown key '{}.{}'", table, member.key);
    std::string_view meant = is_top ? std::string_view() : closest(member.key, known);
    if (alias != nullptr && std::ranges::find(known, alias->key) != known.end()) meant = alias->key;
    if (alias != nullptr && alias->key.empty()) message += fmt::format("; {}", alias->note);
    fail(member.span, {"unknown-key", std::move(message), std::string(meant)});
    if (is_top) {
      outcome.problems.back().fact =
          fmt::format("'{}' stands above the first [section]", member.key);
    }
  }

  /// Empty when it was no text, or its variables could not be put in: then that was said.
  std::string text(const std::string& subject, Node value, std::string_view wanted) {
    if (value.kind != Node::Kind::text) {
      const std::string& shown = value.text.empty() ? "a table" : value.text;
      fail(value.span,
           {"wrong-type", fmt::format("{} must be {}, not {}", subject, wanted, shown), {}});
      return {};
    }
    if (!substitute_node(outcome, value, environment)) {
      good = false;
      return {};
    }
    if (value.text.find('\0') != std::string::npos) {
      fail(value.span, {"bad-value", subject + " has a NUL byte", {}});
    }
    return value.text;
  }

  Origin origin_at(const Span& span) const {
    return {.kind = Origin::Kind::file, .name = outcome.file, .span = span, .items = {}};
  }
};

/// `reader` has read(Node) for one table.
template <class Reader>
void read_tables(Reader& reader, std::string_view name, const Node& tables) {
  const Complaint not_tables{
      "wrong-type", fmt::format("'{}' is written as tables: [[{}]]", name, name), {}};
  if (tables.kind != Node::Kind::array) return reader.fail(tables.span, not_tables);
  for (const Node& table : tables.items) {
    if (table.kind == Node::Kind::table) {
      reader.read(table);
    } else {
      reader.fail(table.span, not_tables);
    }
  }
}

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
// What the readers of the arrays of tables share: [[routes]], [[programs]].
#pragma once

#include "config/apply.h"

#include <fmt/format.h>

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

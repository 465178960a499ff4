// SPDX-License-Identifier: Apache-2.0
// A TOML file as a tree with the place of every key and value. Knows the language, not our keys;
// the only file that sees toml++ is document.cpp.
#pragma once

#include "config/problem.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

struct Member;

struct Node {
  enum class Kind { text, integer, boolean, other, array, table };
  Kind kind = Kind::other;
  std::string
      text;  ///< of text: its value; otherwise how messages show it ("30", "true", "an array")
  std::int64_t integer = 0;  ///< of a boolean: 0 or 1
  bool substituted = false;  ///< text that came out of ${…}
  Span span;
  std::vector<Node> items;      ///< of an array
  std::vector<Member> members;  ///< of a table, in no order
};

struct Member {
  std::string key;
  Span span;
  Node value;
};

struct Document {
  Node root;
  std::vector<std::string> lines;
  /// Syntax errors, in order. When there are any, the tree is empty: keys may have fallen into the
  /// wrong table.
  std::vector<Problem> problems;

  /// A problem at a place in this file.
  Problem at(const Span& span, const Complaint& complaint) const;
  std::string file;
};

Document read_document(std::string_view text, std::string file);

}  // namespace pronghorn::config

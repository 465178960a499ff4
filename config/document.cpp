// SPDX-License-Identifier: Apache-2.0
#define TOML_EXCEPTIONS 0
#include "config/document.h"

#include "config/syntax.h"
#include "config/toml_text.h"

#include <fmt/format.h>
#include <toml++/toml.h>

namespace pronghorn::config {
namespace {

// toml++ stops at the first error, so the line is blanked and the rest parsed again; a text of
// errors only would make this quadratic.
constexpr int kMostSyntaxErrors = 20;

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

struct Converter {
  const std::vector<std::string>& lines;

  Span span_of(const toml::source_region& region) const {
    Span span{.line = static_cast<int>(region.begin.line),
              .column = static_cast<int>(region.begin.column),
              .end_column = static_cast<int>(region.end.column)};
    // A value of several lines is underlined to the end of its first.
    if (region.end.line != region.begin.line) span.end_column = span.column + 1;
    return span;
  }

  std::string raw(const Span& span) const {
    const std::string& line = lines.at(static_cast<std::size_t>(span.line - 1));
    return code_points(line, span.column, span.end_column);
  }

  Node convert(const toml::node& source) const {
    Node node;
    node.span = span_of(source.source());
    if (const auto* table = source.as_table()) {
      node.kind = Node::Kind::table;
      node.text = "a table";
      for (auto&& [key, value] : *table) {
        node.members.push_back({std::string(key.str()), span_of(key.source()), convert(value)});
      }
    } else if (const auto* array = source.as_array()) {
      node.kind = Node::Kind::array;
      node.text = "an array";
      for (auto&& element : *array) node.items.push_back(convert(element));
    } else if (const auto text = source.value_exact<std::string>()) {
      node.kind = Node::Kind::text;
      node.text = *text;
    } else if (const auto number = source.value_exact<std::int64_t>()) {
      node.kind = Node::Kind::integer;
      node.integer = *number;
      node.text = raw(node.span);
    } else if (const auto flag = source.value_exact<bool>()) {
      node.kind = Node::Kind::boolean;
      node.integer = *flag ? 1 : 0;
      node.text = raw(node.span);
    } else {
      node.text = raw(node.span);
    }
    return node;
  }
};

}  // namespace

Problem Document::at(const Span& span, const Complaint& complaint) const {
  Problem problem = make_problem(complaint);
  problem.file = file;
  problem.span = span;
  const auto index = static_cast<std::size_t>(span.line - 1);
  if (index < lines.size()) problem.source_line = lines[index];
  return problem;
}

Document read_document(std::string_view text, std::string file) {
  Document document;
  document.file = std::move(file);
  document.root.kind = Node::Kind::table;
  document.lines = split_lines(text);
  if (!is_utf8(text)) {
    for (std::size_t i = 0; i < document.lines.size(); ++i) {
      if (is_utf8(document.lines[i]) || document.problems.size() == kMostSyntaxErrors) continue;
      document.problems.push_back(
          document.at({static_cast<int>(i + 1), 1, 2}, {"not-utf8", "this line is not UTF-8", {}}));
    }
    return document;
  }
  std::vector<std::string> lines = document.lines;
  for (int pass = 0; pass < kMostSyntaxErrors; ++pass) {
    const std::string remaining = joined(lines);
    const toml::parse_result parsed = toml::parse(std::string_view(remaining));
    if (parsed) {
      if (document.problems.empty()) {
        document.root = Converter{document.lines}.convert(parsed.table());
      }
      return document;
    }
    const toml::parse_error& error = parsed.error();
    const SyntaxError explained =
        explain_syntax(document.lines, static_cast<int>(error.source().begin.line),
                       static_cast<int>(error.source().begin.column), error.description());
    document.problems.push_back(document.at(explained.span, {"syntax", explained.message, {}}));
    lines.at(static_cast<std::size_t>(explained.blank_line - 1)).clear();
  }
  return document;
}

}  // namespace pronghorn::config

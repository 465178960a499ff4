// SPDX-License-Identifier: Apache-2.0
// The [[programs]] tables: what runs as workers beside ours.
#include "config/suggest.h"
#include "config/table_reader.h"
#include "config/toml_text.h"
#include "config/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pronghorn::config {
namespace {

constexpr std::array<std::string_view, 5> kProgramKeys = {"name", "file", "args", "node",
                                                          "workers"};

struct ProgramReader : TableReader {
  void read_args(Program& program, const std::string& subject, const Node& value) {
    constexpr std::string_view wanted = "an array of text";
    if (value.kind != Node::Kind::array) {
      const std::string shown =
          value.kind == Node::Kind::text ? toml_quoted(value.text) : value.text;
      fail(value.span,
           {"wrong-type", fmt::format("{} must be {}, not {}", subject, wanted, shown), {}});
      return;
    }
    for (const Node& item : value.items) program.args.push_back(text(subject, item, wanted));
  }

  /// As the key `workers` of the top level, whose words and bounds it has.
  void read_workers(Program& program, const std::string& subject, Node value) {
    const Key& key = *find_key("workers");
    Checked<Value> checked = Value();
    if (value.kind == Node::Kind::integer) {
      checked = value_from_number(key, value.integer, subject);
    } else if (value.kind == Node::Kind::text) {
      if (!substitute_node(outcome, value, environment)) {
        good = false;
        return;
      }
      const bool quoted_number = !value.substituted && value.text != key.zero;
      checked = quoted_number ? std::unexpected(wrong_type(key, toml_quoted(value.text), subject))
                              : value_from_text(key, value.text, subject);
    } else {
      checked = std::unexpected(wrong_type(key, value.text, subject));
    }
    if (!checked) return fail(value.span, checked.error());
    program.workers = std::get<std::uint64_t>(*checked);
  }

  void read_member(Program& program, const Member& member) {
    const std::string subject = fmt::format("'programs.{}'", member.key);
    if (member.key == "args") {
      read_args(program, subject, member.value);
    } else if (member.key == "workers") {
      read_workers(program, subject, member.value);
    } else {
      const std::string value = text(subject, member.value, "text in quotes");
      (member.key == "name"   ? program.name
       : member.key == "file" ? program.file
                              : program.node) = value;
    }
  }

  void read(const Node& table) {
    good = true;
    Program program;
    Span file_span = table.span;
    bool has_file = false;
    for (const Member& member : table.members) {
      if (std::ranges::find(kProgramKeys, member.key) == kProgramKeys.end()) {
        unknown("programs", member, kProgramKeys);
        continue;
      }
      if (member.key == "file") {
        has_file = true;
        file_span = member.value.span;
      }
      read_member(program, member);
    }
    if (good && (!has_file || program.file.empty())) {
      fail(has_file ? file_span : table.span, {"missing-key", "this program has no 'file'", {}});
    }
    if (!good) return;
    outcome.config.programs.push_back(std::move(program));
    outcome.program_origins.push_back(origin_at(file_span));
  }
};

}  // namespace

void apply_programs(Outcome& outcome, const Node& programs, const Environment& environment) {
  ProgramReader reader{{outcome, environment}};
  read_tables(reader, "programs", programs);
}

}  // namespace pronghorn::config

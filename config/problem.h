// SPDX-License-Identifier: Apache-2.0
// One thing that is wrong, with its place, and how people see it (gcc's form: editors jump to it).
#pragma once

#include "config/complaint.h"

#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

/// 1-based; columns count code points; `end_column` is one past the last. Line 0: no place in a
/// file.
struct Span {
  int line = 0;
  int column = 0;
  int end_column = 0;
};

struct Problem {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  std::string code;        ///< stable word for programs: "unknown-key"
  std::string message;     ///< one line, without the suggestion
  std::string suggestion;  ///< what was probably meant; empty: no idea
  std::string file;        ///< empty: not from a file
  Span span;
  std::string source_line;
  bool on_command_line = false;  ///< an option's doing, not the file's
  std::string fact;              ///< an indented line below; empty: none
};

Problem make_problem(const Complaint& complaint);

/// FILE:LINE:COLUMN: error: …, the line and a caret; without a file "PROGRAM: error: …". Ends in
/// "\n".
std::string render(const Problem& problem, std::string_view program, bool colour);

/// Bytes that could steer a terminal as '?'; tabs stay.
std::string printable(std::string_view text);

}  // namespace pronghorn::config

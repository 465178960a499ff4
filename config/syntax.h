// SPDX-License-Identifier: Apache-2.0
// The parser's words for a syntax error, replaced by plain ones where the cause can be seen.
#pragma once

#include "config/problem.h"

#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

struct SyntaxError {
  Span span;
  std::string message;
  int blank_line = 0;  ///< the line to leave out before looking for more errors
};

/// @param line, column  where the parser stopped (1-based); it may be behind the cause
SyntaxError explain_syntax(const std::vector<std::string>& lines, int line, int column,
                           std::string_view parsers_words);

/// Columns [first, end) of a line, 1-based, counted in code points.
std::string code_points(std::string_view line, int first, int end);

}  // namespace pronghorn::config

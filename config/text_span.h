// SPDX-License-Identifier: Apache-2.0
// Where in a line of the file a part of a quoted text stands. Used where texts have a syntax of
// their own.
#pragma once

#include "config/problem.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace pronghorn::config {

/// The columns of bytes [at, at + length) of `text`, whose quoted form is `value` in `line`.
/// Nothing where the file does not have the text as it is: a variable was put in, or it has several
/// lines.
std::optional<Span> span_in_text(const Span& value, std::string_view line, std::string_view text,
                                 std::size_t at, std::size_t length);

}  // namespace pronghorn::config

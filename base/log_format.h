// SPDX-License-Identifier: Apache-2.0
// A log record as lines of text, in each form. Pure: used by log.cpp, tested on strings.
#pragma once

#include "base/log.h"

#include <chrono>
#include <string>
#include <vector>

namespace pronghorn::log {

struct Record {
  Level level;
  std::string_view event;
  Fields fields;
  std::string_view sentence;  ///< empty: the event
  std::chrono::system_clock::time_point time;
};

/// Complete lines, each with its newline and at most NonblockingWriter::kMaxLine long. More than
/// one only where the sentence has several lines and the form is not `file`, where a record is a
/// line. In the forms for people a field that the sentence already says is left out.
std::vector<std::string> render(const Record& record, Form form, bool colour, std::string_view who);

}  // namespace pronghorn::log

// SPDX-License-Identifier: Apache-2.0
// The access log for people at a terminal: short lines, and never so many that they flood it. Used
// by AccessLog.
#pragma once

#include "server/access_entry.h"
#include "server/line_writer.h"

#include <cstdint>
#include <string_view>

namespace pronghorn::server {

/// "12:01:40  200 GET /    1.2 KiB    0.3 ms", local time, at most 50 a second, then how many more
/// there were.
class TerminalLines {
 public:
  /// A call writes less than this.
  static constexpr std::size_t kMax = 4096;

  explicit TerminalLines(bool colour) noexcept : colour_(colour) {}

  /// Writes a line, or counts it only; `at` has room for kMax bytes. @returns the end
  char* write(char* at, const AccessEntry& entry, std::int64_t now_us) noexcept;
  /// Says how many lines were left out in a second that is over.
  char* write_hidden(char* at, std::int64_t now_us) noexcept;
  bool has_hidden() const noexcept { return hidden_ > 0; }

 private:
  void begin_second(LineWriter& out, std::int64_t second) noexcept;
  void put_line(LineWriter& out, const AccessEntry& entry) const noexcept;

  bool colour_;
  std::int64_t second_ = -1;
  char time_text_[16] = {};
  std::uint64_t this_second_ = 0;
  std::uint64_t hidden_ = 0;
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// One line per answered request, combined format. Never blocks the loop: lines are gathered and
// written once a turn; what the descriptor does not take is dropped and counted.
#pragma once

#include <pronghorn/base/counters.h>

#include "base/nonblocking_writer.h"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace pronghorn::server {

struct AccessEntry {
  std::string_view peer, method, target, referer, user_agent;
  int version = 11;
  int status = 0;
  std::uint64_t bytes = 0;       ///< of the body
  std::int64_t duration_us = 0;  ///< from the head's end to the answer's last byte being queued
};

/// What a client chose is written as printable ASCII only: quotes, backslashes, control bytes and
/// bytes from 0x80 on become \xHH (a terminal may take 0x9b, or its UTF-8 form, for the start of a
/// control sequence), and a field that is too long for a line is cut and ends in "...".
class AccessLog {
 public:
  enum class Form : std::uint8_t {
    combined,  ///< Apache's combined format, times in UTC
    terminal,  ///< "12:01:40  200 GET /    1.2 KiB    0.3 ms", local time, at most 50 a second
  };
  using Now = std::time_t (*)() noexcept;

  /// The descriptor is borrowed. O_NONBLOCK is never set on it: it is shared with others. `now` is
  /// for tests.
  AccessLog(int fd, Form form, bool colour, WorkerCounters& counters, Now now = system_now);

  void record(const AccessEntry& entry) noexcept;
  /// Writes what was gathered; the server calls it once a turn of the loop.
  void flush() noexcept;
  /// Something waits for flush(): lines, or the number of lines that the terminal form left out.
  bool has_lines() const noexcept { return !pending_.empty() || hidden_ > 0; }

 private:
  static std::time_t system_now() noexcept { return std::time(nullptr); }
  void append_combined(const AccessEntry& entry) noexcept;
  void append_terminal(const AccessEntry& entry) noexcept;
  void begin_second(std::time_t now) noexcept;
  void write_pending() noexcept;

  std::string pending_;  // never grows past its first reservation
  NonblockingWriter writer_;
  WorkerCounters& counters_;
  Now now_;
  Form form_;
  bool colour_;
  std::time_t second_ = -1;  // of time_text_ and of the terminal form's cap
  char time_text_[32] = {};
  std::uint64_t this_second_ = 0;
  std::uint64_t hidden_ = 0;
};

}  // namespace pronghorn::server

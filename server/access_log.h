// SPDX-License-Identifier: Apache-2.0
// One line per answered request, combined format. Never blocks the loop: lines are gathered and written
// once a turn; what the descriptor does not take is dropped and counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <pronghorn/base/counters.h>

namespace pronghorn::server {

struct AccessEntry {
  std::string_view peer, method, target, referer, user_agent;
  int version = 11;
  int status = 0;
  std::uint64_t bytes = 0;        ///< of the body
  std::int64_t duration_us = 0;   ///< from the head's end to the answer's last byte being queued
};

class AccessLog {
 public:
  enum class Form : std::uint8_t {
    combined,  ///< Apache's combined format, times in UTC; CR, LF, quotes, control bytes as \xHH
    terminal,  ///< "12:01:40  200 GET /    1.2 KiB    0.3 ms", at most 50 a second
  };
  /// The descriptor is borrowed. O_NONBLOCK is never set on it: it is shared with others.
  AccessLog(int fd, Form form, bool colour, WorkerCounters& counters);

  void record(const AccessEntry& entry) noexcept;
  /// Writes what was gathered; the server calls it once a turn of the loop.
  void flush() noexcept;
  bool has_lines() const noexcept { return !pending_.empty(); }

 private:
  std::string pending_;
  int fd_;
  Form form_;
  bool colour_;
  WorkerCounters& counters_;
  std::int64_t second_ = 0;       // of the terminal form's cap
  std::uint64_t this_second_ = 0;
  std::uint64_t hidden_ = 0;
};

}  // namespace pronghorn::server

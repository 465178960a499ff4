// SPDX-License-Identifier: Apache-2.0
// One line per answered request. Never blocks the loop: lines are gathered and written once a turn,
// or later where the configuration says so, and those of a regular file by a thread; what is not
// taken waits in a bounded buffer, and what does not fit there is dropped and counted.
#pragma once

#include <pronghorn/base/counters.h>

#include "base/nonblocking_writer.h"
#include "server/access_entry.h"
#include "server/access_line.h"
#include "server/access_log_terminal.h"
#include "server/log_thread.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace pronghorn::server {

class AccessLog {
 public:
  using Milliseconds = std::chrono::milliseconds;
  using Now = std::int64_t (*)() noexcept;

  struct Options {
    /// Empty: short lines for people at a terminal, at most 50 a second.
    std::optional<config::LogFormat> format{};
    bool colour = false;             ///< at a terminal
    std::size_t buffer = 64 * 1024;  ///< bytes that may wait; at least two lines
    Milliseconds flush{0};           ///< how long they may; 0: this turn of the loop
    /// A regular file is written by a thread: two halves of the buffer take turns. Without, as a
    /// write(2) of the caller's, which waits for a disk that does not keep up.
    bool in_thread = false;
    LogThread::Write write{};      ///< there; another for tests
    Milliseconds last_wait{2000};  ///< how long the end waits for a disk that hangs
    std::uint32_t worker = 0;      ///< for "json"
    /// A full disk has cut a line that other processes may go on behind: they should set log_torn.
    std::function<void()> on_cut{};
    Now now = nullptr;  ///< microseconds since 1970; the system's, or another for tests
  };

  /// The descriptor is borrowed. O_NONBLOCK is never set on it: it is shared with others.
  AccessLog(int fd, Options options, WorkerCounters& counters);
  /// Writes what waits, once.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void record(const AccessEntry& entry) noexcept;
  /// Writes what waits, as far as that is taken now.
  void flush() noexcept;
  /// How long what waits may go on to do so before flush(); 0: until the end of the turn. Nothing:
  /// nothing waits.
  std::optional<Milliseconds> wait() const noexcept;
  /// From now on lines go to another descriptor; those that wait are written to the old one first,
  /// as far as it takes them. The old one is still open, and stays so until is_reopened().
  void reopen(int fd) noexcept;
  /// Whether nothing goes to an old descriptor any more. flush() may have made it so.
  bool is_reopened() const noexcept { return !next_; }
  /// Whether AccessEntry::answer_head is looked at.
  bool wants_answer_head() const noexcept { return line_ && line_->wants_answer_head(); }
  bool wants_request_id() const noexcept { return line_ && line_->wants_request_id(); }
  /// Whether AccessEntry::duration_us is.
  bool wants_duration() const noexcept { return !line_ || line_->wants_duration(); }

 private:
  static std::int64_t system_now() noexcept;
  static std::int64_t system_second() noexcept;
  std::size_t room() const noexcept { return limit_ - std::min(limit_, size_); }
  bool has_waiting() const noexcept { return size_ > 0 || !rest_.empty() || in_flight_; }
  NonblockingWriter& writer() noexcept { return thread_ ? thread_->writer() : writer_; }
  void take(int fd) noexcept;
  void change_file() noexcept;
  void write_waiting() noexcept;
  void write_now() noexcept;
  void give() noexcept;
  bool collect() noexcept;
  void finish() noexcept;
  void end_torn_line() noexcept;
  void account(const NonblockingWriter::Taken& taken, std::string_view lines,
               std::uint64_t& count) noexcept;
  void note_failure(const NonblockingWriter::Taken& taken) noexcept;

  NonblockingWriter writer_;  // unless there is a thread, which has its own
  int fd_ = -1;
  std::optional<AccessLine> line_;
  std::optional<TerminalLines> terminal_;
  WorkerCounters& counters_;
  std::function<void()> on_cut_;
  Now now_;
  const std::size_t capacity_;
  std::size_t limit_;  // of what is gathered: half of that, or all
  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
  std::uint64_t lines_ = 0;  // that wait
  Milliseconds flush_;
  Milliseconds retry_{0};        // after a failure: until the next try
  std::int64_t blocked_us_ = 0;  // time of the failure
  const Milliseconds last_wait_;
  const bool in_thread_;
  LogThread::Write write_;
  std::unique_ptr<LogThread> thread_;  // once a regular file was seen
  std::string_view rest_;              // of the thread's memory, not written yet
  std::uint64_t rest_lines_ = 0;
  bool in_flight_ = false;  // rest_ was given, and what became of it not collected
  std::optional<int> next_;
};

}  // namespace pronghorn::server

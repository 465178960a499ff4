// SPDX-License-Identifier: Apache-2.0
// A thread that writes blocks of lines, for a log whose file may make its writer wait: a write(2)
// to a regular file has no O_NONBLOCK. Used by AccessLog.
#pragma once

#include "base/nonblocking_writer.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace pronghorn::server {

/// Writes one block at a time, so that order is kept. All calls come from one thread, the owner's.
class LogThread {
 public:
  using Taken = NonblockingWriter::Taken;
  /// What is called there; another for tests.
  using Write = std::function<Taken(NonblockingWriter&, std::string_view)>;

  /// Null: no thread could be had. Open a file next.
  static std::unique_ptr<LogThread> start(std::size_t capacity, Write write) noexcept;
  /// A write that hangs is left to itself, with the file and the memory that it uses.
  ~LogThread();
  LogThread(const LogThread&) = delete;
  LogThread& operator=(const LogThread&) = delete;

  // These between result() and give() only.
  /// Writes to another file from now on, by a descriptor of its own.
  void open(int fd) noexcept;
  NonblockingWriter& writer() noexcept;
  std::unique_ptr<char[]>& memory() noexcept;

  /// Begins to write a part of memory().
  void give(std::string_view lines) noexcept;
  /// What became of the block that was given; once. Nothing: it is being written.
  std::optional<Taken> result() noexcept;
  /// Waits for that. @returns false: not until then
  bool wait_until(std::chrono::steady_clock::time_point end) noexcept;

 private:
  struct Shared;
  explicit LogThread(std::shared_ptr<Shared> shared) noexcept : shared_(std::move(shared)) {}
  static void run(const std::shared_ptr<Shared>& shared) noexcept;

  std::shared_ptr<Shared> shared_;
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// Our standard output (error) as the workers' lines reach it: nothing is lost and nobody waits;
// what the descriptor does not take now waits here, and the workers behind it. Used by LineRelay.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

#include "base/uv/poll.h"

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::master {

/// Sets no flag on the descriptor, which belongs to others as well. SIGPIPE is ignored by the
/// caller's process.
class LineOutput {
 public:
  /// `fd` is borrowed and must stay open.
  LineOutput(Loop& loop, int fd);
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  /// Whole lines, each ended by '\n'. Lines of up to PIPE_BUF bytes stay whole in a pipe, whoever
  /// else writes to it. What a broken descriptor does not take (no reader, a full disk) is dropped.
  void write(std::string_view lines);
  /// Something waits to be written: read no more until `on_free`.
  bool is_full() const noexcept { return !waiting_.empty(); }
  /// In the journal a line may begin with its priority (sd-daemon(3)).
  bool is_journal() const noexcept { return is_journal_; }

  using Waiter = std::list<std::function<void()>>::iterator;
  /// `on_free` is called from the loop each time nothing waits any more; it must not add or remove
  /// a waiter.
  Waiter add(std::function<void()> on_free);
  void remove(Waiter waiter);

 private:
  enum class Way : std::uint8_t {
    direct,  // regular file: never waits
    own,     // a description of our own with O_NONBLOCK
    socket,  // MSG_DONTWAIT
    ask,     // could not be opened again: poll(2) first
  };
  /// @returns how many bytes went; 0: none now
  std::size_t write_some(std::string_view text) noexcept;
  void flush();
  void wait();

  Loop& loop_;
  int fd_;
  UniqueFd own_;
  Way way_ = Way::ask;
  bool is_journal_;
  std::string waiting_;
  UniqueFd nested_;  // an epoll descriptor that watches ours: libuv sets flags on what it watches
  std::optional<uv::Poll> poll_;
  std::list<std::function<void()>> waiters_;
};

}  // namespace pronghorn::master

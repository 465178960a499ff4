// SPDX-License-Identifier: Apache-2.0
// Whole lines to a descriptor that other processes share, without ever waiting for it (but for a
// regular file). Used by the program's log and the access log.
#pragma once

#include "base/unique_fd.h"

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pronghorn {

/// Writes lines to an inherited descriptor, or drops them. O_NONBLOCK is never set on the
/// descriptor itself: the flag belongs to the open file description, and so to every process that
/// shares it.
///
/// The caller's process ignores SIGPIPE and SIGXFSZ: for pipes and files there is no flag per
/// write.
class NonblockingWriter {
 public:
  /// Lines up to this length (with their '\n') arrive whole or not at all, whoever else writes
  /// (pipe(7), PIPE_BUF). Longer ones may be mixed with other processes' lines, or be dropped.
  static constexpr std::size_t kMaxLine = PIPE_BUF;

  /// `fd` is borrowed and must stay open.
  explicit NonblockingWriter(int fd) noexcept;

  /// Writes complete lines, each ended by '\n', in as few writes as keep them whole.
  ///
  /// What the descriptor does not take now (full pipe, stopped terminal, full disk) is dropped; the
  /// next call tries anew. A line that was cut by a short write counts as dropped and is ended by a
  /// '\n' before the next one: finishing it later could put its tail, which a client chose, at the
  /// start of a line.
  /// @returns the number of lines dropped; 0: all were written
  std::size_t write(std::string_view lines) noexcept;

  struct Taken {
    std::size_t bytes = 0;  ///< whole lines; what follows may be tried again later
    bool cut = false;       ///< the last line of these was cut by a short write, and is lost
    int error = 0;          ///< errno of the write that was refused; EAGAIN: try again soon
  };
  /// The same, for a caller that keeps what is not taken.
  Taken write_some(std::string_view lines) noexcept;
  /// A regular file: write(2) waits there while the disk does not keep up, and no flag forbids it.
  bool may_wait() const noexcept { return way_ == Way::direct; }
  /// The last line was cut: the next one will be begun with a '\n'.
  bool is_torn() const noexcept { return torn_; }
  /// The next line is begun with a '\n': another process has cut one in the same file.
  void begin_line() noexcept { torn_ = true; }

 private:
  enum class Way : std::uint8_t {
    direct,  // regular file: does not block in the sense of O_NONBLOCK
    own,     // a description of our own with O_NONBLOCK
    socket,  // MSG_DONTWAIT
    ask,     // could not be opened again: poll(2) first
  };
  std::size_t write_chunk(std::string_view chunk) noexcept;
  bool is_writable() const noexcept;

  UniqueFd own_;
  int fd_;
  int error_ = 0;  // of the last write_chunk()
  Way way_ = Way::ask;
  bool torn_ = false;  // the last line written was cut
};

}  // namespace pronghorn

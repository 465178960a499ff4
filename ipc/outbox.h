// SPDX-License-Identifier: Apache-2.0
// What waits to be written to the channel, in the order in which it must leave. Pure; driven by
// Channel.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn::ipc {

/// Node's rule: after a handle every message waits for the peer's ACK or NACK; only our own answers
/// to the peer (ACK, NACK, socket counts) overtake, between two chunks.
class Outbox {
 public:
  /// Bytes for one write; `fd` (or -1) goes with the first of them.
  struct Chunk {
    std::string_view bytes;
    int fd;
  };
  enum class Nacked : std::uint8_t { nothing, will_resend, lost };

  void push(std::string line);
  /// @param resend  whether a NACK sends it again, up to 3 times (Node does so for net.Socket)
  void push_handle(std::string line, UniqueFd fd, bool resend);
  /// An answer. @returns false when too many wait: the peer asks and reads nothing
  bool push_control(std::string_view line);

  /// What to write now; empty: nothing, or a handle is not yet acknowledged.
  std::optional<Chunk> next() const noexcept;
  /// `count` bytes of next() were written.
  void wrote(std::size_t count);

  /// @returns false when no handle waits for it
  bool acknowledged();
  Nacked refused();

  /// Unsent bytes of messages.
  std::size_t queued() const noexcept { return queued_; }
  /// Unsent bytes, answers included.
  std::size_t unsent() const noexcept { return queued_ + control_.size() - control_written_; }
  /// Messages behind the first handle that is not yet acknowledged; empty when there is none.
  std::optional<std::size_t> waiting_behind_handle() const noexcept;
  /// Where the stream stands, in bytes of messages: all that were pushed, and those that have left
  /// for good (a handle with its ACK).
  std::uint64_t pushed() const noexcept { return pushed_; }
  std::uint64_t left() const noexcept { return left_; }
  /// Nothing waits, neither for the socket nor for an ACK.
  bool is_idle() const noexcept;
  void clear();

 private:
  struct Entry {
    std::string bytes;  // a run of plain lines, or one handle's line
    std::size_t written = 0;
    UniqueFd fd;
    bool resend = false;
    int resent = 0;
  };
  bool control_is_next() const noexcept;
  void count_message(std::size_t bytes);
  void handle_is_done(const Entry& entry);

  std::deque<Entry> entries_;
  std::optional<Entry> unacknowledged_;
  std::string control_;
  std::size_t control_written_ = 0;
  std::size_t queued_ = 0;
  std::uint64_t pushed_ = 0;
  std::uint64_t left_ = 0;
  // For each handle that is not acknowledged, how many plain messages follow it up to the next.
  std::deque<std::size_t> followers_;
  std::size_t waiting_ = 0;  // behind the first handle, handles included
};

}  // namespace pronghorn::ipc

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

/// Node's rule: after a handle every message waits for the peer's ACK or NACK; only our own ACK and
/// NACK overtake, between two chunks.
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
  /// An ACK or a NACK. @returns false when too many wait: the peer sends handles and reads nothing
  bool push_control(std::string_view line);

  /// What to write now; empty: nothing, or a handle is not yet acknowledged.
  std::optional<Chunk> next() const noexcept;
  /// `count` bytes of next() were written.
  void wrote(std::size_t count);

  void acknowledged() noexcept { unacknowledged_.reset(); }
  Nacked refused();

  /// Unsent bytes of messages.
  std::size_t queued() const noexcept { return queued_; }
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

  std::deque<Entry> entries_;
  std::optional<Entry> unacknowledged_;
  std::string control_;
  std::size_t control_written_ = 0;
  std::size_t queued_ = 0;
};

}  // namespace pronghorn::ipc

// SPDX-License-Identifier: Apache-2.0
// What waits to be written to the channel, in the order in which it must leave. Pure; driven by
// Channel.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pronghorn::ipc {

/// After a handle every message waits for the peer's ACK or NACK, as in Node. Unlike there, the
/// handles that follow one another directly do not: up to kWindow of them are under way
/// (docs/decisions/0011). Our own answers to the peer (ACK, NACK, socket counts) overtake, between
/// two chunks.
class Outbox {
 public:
  /// Handles that may be under way before the first ACK.
  static constexpr std::size_t kWindow = 16;
  /// Bytes for one write; `fd` (or -1) goes with the first of them. `more` follows them directly:
  /// an ACK and what is sent upon a handle leave together.
  struct Chunk {
    std::string_view bytes;
    int fd;
    std::string_view more{};
  };
  enum class Outcome : std::uint8_t { taken, lost };

  void push(std::string line);
  /// @param resend  whether a NACK sends it again, up to 3 times (Node does so for net.Socket)
  void push_handle(std::string line, std::shared_ptr<const UniqueFd> fd, bool resend);
  void push_handle(std::string line, UniqueFd fd, bool resend) {
    push_handle(std::move(line), std::make_shared<const UniqueFd>(std::move(fd)), resend);
  }
  /// An answer. @returns false when too many wait: the peer asks and reads nothing
  bool push_control(std::string_view line);

  /// What to write now; empty: nothing, or it waits for an ACK.
  std::optional<Chunk> next() const noexcept;
  /// `count` bytes of next() were written, `more` included.
  void wrote(std::size_t count);

  /// The kernel takes no descriptor now: none leaves before those under way were read.
  /// @returns false when none is under way, whose answer would go on
  bool hold_handles() noexcept;

  /// The peer's ACK, for the handle that was written first of those without an answer. One that
  /// nobody waits for is ignored.
  void acknowledged();
  /// Its NACK: the handle is written again, before all that waits, or lost.
  void refused();
  /// The next handle, in the order of the pushes, that is done for good; to be taken after each
  /// answer until there is none.
  std::optional<Outcome> take_done();

  /// Unsent bytes of messages.
  std::size_t queued() const noexcept { return queued_; }
  /// Unsent bytes, answers included.
  std::size_t unsent() const noexcept { return queued_ + control_.size() - control_written_; }
  /// Messages that wait for an ACK before they may leave; empty when no handle is without one.
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
    std::size_t waiting = 0;  // messages in it that were pushed behind a handle
    std::shared_ptr<const UniqueFd> fd;
    bool resend = false;
  };
  enum class Answer : std::uint8_t { awaited, again, taken, lost };
  // A handle that was written, until it and all before it are done.
  struct Sent {
    Entry entry;
    std::uint64_t end;  // of its line, in written_; answers come in this order
    Answer answer = Answer::awaited;
    int resent = 0;
  };
  bool is_behind_handle() const noexcept { return !sent_.empty() || unsent_handles_ > 0; }
  bool window_is_open() const noexcept;
  bool is_answer_due() const noexcept;
  Entry* current() noexcept;
  const Entry* current() const noexcept;
  Sent* repeated() noexcept;
  const Sent* repeated() const noexcept;
  Sent* first_awaited() noexcept;
  void count_message(std::size_t bytes);
  void finish_current();

  std::deque<Entry> entries_;
  std::deque<Sent> sent_;
  std::string control_;
  std::size_t control_written_ = 0;
  std::size_t queued_ = 0;
  std::uint64_t pushed_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t written_ = 0;       // bytes that the socket took, answers included
  std::uint64_t read_ = 0;          // of these, what the peer has surely read
  std::uint64_t closed_till_ = 0;   // no second handle leaves before the peer has read so far
  std::size_t unsent_handles_ = 0;  // in entries_
  std::size_t waiting_ = 0;         // the sum of entries_
};

}  // namespace pronghorn::ipc

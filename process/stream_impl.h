// SPDX-License-Identifier: Apache-2.0
// The inside of a Stream: state and the steps between poll events. Shared by stream.cpp (life and
// events), stream_read.cpp and stream_write.cpp.
#pragma once

#include "base/listeners.h"
#include "base/uv/poll.h"
#include "process/stream.h"
#include "process/write_queue.h"

#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace pronghorn::process {

/// Lives as long as the Stream, and, where a listener destroys that, until the listener returns.
/// Listeners are called only by deliver() and settle(), which run from the loop.
struct Stream::Impl : std::enable_shared_from_this<Stream::Impl> {
  enum class Kind : std::uint8_t {
    socket,
    plain,   // pipe, terminal
    shared,  // flags are not ours: one careful read for each time it is readable
    file,    // epoll refuses it: a piece each turn of the loop
  };
  enum class Flow : std::uint8_t { idle, flowing, paused };
  struct Waiter {
    std::uint64_t end;  // position in the stream after its last byte
    Written written;
  };
  struct Told {
    Written written;
    std::shared_ptr<const Error> error;
  };

  Impl(Loop& l, UniqueFd f, Kind k, Sides sides)
      : loop(l),
        fd(std::move(f)),
        kind(k),
        reads(sides != Sides::writable),
        writes(sides != Sides::readable) {}

  // stream.cpp
  Result<void> watch(int descriptor);
  /// Waits for what can go on now; after each change of state.
  void update();
  void on_poll(int events, int error);
  /// Calls what is due, in order. From the loop only.
  void settle();
  void settle_later();
  void close_when_done();
  void close_fd();
  void fail(const Error& error);
  void destroy();
  /// The Stream is gone: nobody is told anything any more.
  void abandon() noexcept;
  /// Its users are gone, its collector is not.
  void silence() noexcept;
  void drop_listeners() noexcept;

  // stream_read.cpp
  bool wants_read() const;
  bool is_held_up() const;
  void flow(Flow now);
  /// @returns false when there was nothing to read
  bool read_some();
  ssize_t read_once(std::span<char> buffer) const noexcept;
  void deliver(std::string_view bytes);
  void read_later();
  void pipe(const std::shared_ptr<Impl>& to);
  void finish_reading();

  // stream_write.cpp
  bool write(std::string_view bytes, Written written);
  void refuse(Written written, int errno_value);
  ssize_t write_once(std::span<iovec> vectors) const noexcept;
  /// @returns false when the kernel took nothing
  bool flush();
  void went(std::size_t count);
  void end(std::string_view last);
  void end_when_flushed();
  void lose_waiting(const std::shared_ptr<const Error>& error);
  void wake_feeders();

  Loop& loop;
  UniqueFd fd;
  UniqueFd nested;  // shared: an epoll descriptor that watches `fd`
  std::optional<uv::Poll> poll;
  const Kind kind;
  const bool reads;   // has that side
  const bool writes;  // has that side
  bool referenced = true;
  bool lent = false;
  bool gone = false;
  bool silent = false;  // silence() was called

  Flow flowing = Flow::idle;
  bool read_ended = false;
  bool read_scheduled = false;
  std::vector<std::weak_ptr<Impl>> targets;

  WriteQueue queue;
  std::uint64_t accepted = 0;   // bytes ever
  std::uint64_t delivered = 0;  // of these, in the kernel
  std::deque<Waiter> waiters;
  bool needs_drain = false;  // write() said false
  bool ending = false;
  bool finished = false;
  std::vector<std::weak_ptr<Impl>> feeders;

  // What settle() has to tell.
  bool settle_scheduled = false;
  std::vector<Told> told;
  bool drain_due = false;
  bool finish_due = false;
  bool end_due = false;
  bool close_due = false;
  std::shared_ptr<const Error> error_due;

  std::move_only_function<void(std::string_view)> collector;  // exec's; before the users'
  Listeners<std::move_only_function<void(std::string_view)>> on_data;
  Listeners<std::move_only_function<void()>> on_end, on_drain, on_finish, on_close;
  Listeners<std::move_only_function<void(const Error&)>> on_error;
  std::move_only_function<void()> on_gone;
};

}  // namespace pronghorn::process

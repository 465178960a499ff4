// SPDX-License-Identifier: Apache-2.0
// The channel's inside: the socket, what was read and what waits to be written. Owned by Channel.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/ipc/channel.h>

#include "base/uv/poll.h"
#include "base/uv/timer.h"
#include "ipc/frame_reader.h"
#include "ipc/outbox.h"
#include "ipc/receipts.h"
#include "ipc/socket_list.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pronghorn::ipc {

struct Channel::Impl {
 public:
  Impl(Loop& loop, UniqueFd fd, Handlers handlers, Limits limits);

  Result<void> watch();
  /// `json` has no line feed yet.
  Result<bool> send(std::string json, Sent sent);
  Result<bool> send_handle(std::string_view json, const Handle& handle, Sent sent);
  void count_sockets(std::string_view key, SentSockets::Counted reply);
  void when_sockets_closed(std::string_view key, SentSockets::Closed closed);
  bool disconnect();
  /// The owner is gone: closes, and frees this object as soon as no callback of it runs.
  void abandon() noexcept;
  bool is_connected() const noexcept { return state_ == State::open; }
  void set_paused(bool paused) noexcept;
  std::size_t queued() const noexcept { return outbox_.queued(); }
  std::size_t message_bytes() const noexcept { return message_bytes_; }
  void set_referenced(bool referenced) noexcept;
  void set_default_reference(bool referenced) noexcept;
  int fd() const noexcept { return fd_.get(); }

 private:
  enum class State : std::uint8_t {
    open,
    flushing,  // disconnect() was called; what is queued still leaves
    draining,  // the peer left while we wrote; what it sent before is still delivered
    ending,    // what was queued has left; the rest of the input is thrown away up to EOF
    closed,
  };
  /// While one exists, abandon() leaves the object to it.
  class Turn {
   public:
    explicit Turn(Impl& impl) : impl_(&impl) { ++impl_->turns_; }
    ~Turn() {
      if (impl_ != nullptr && --impl_->turns_ == 0 && impl_->abandoned_) delete impl_;
    }
    Turn(Turn&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;

   private:
    Impl* impl_;
  };
  ~Impl() = default;

  Result<void> check_sendable(std::size_t bytes) const;
  Result<bool> queued_one(Sent sent);
  void write();
  void write_later();
  void flush();
  void flush_later();
  void shut_down(State next);
  void show_interest() noexcept;

  void on_ready(int events, int error);
  void read_some();
  void take_lines();
  void take_line(std::string_view line);
  void take_message(const class Incoming& incoming);
  void take_done_handles();
  void take_note(const struct SocketNote& note);
  bool answer(std::string_view line);
  bool queue_answer(std::string_view line);
  bool may_write() const noexcept { return state_ == State::open || state_ == State::flushing; }
  bool takes_input() const noexcept { return may_write() || state_ == State::draining; }

  void ask_about_sockets();
  /// After this turn of the loop: what is due is told.
  void schedule();
  void after_turn();
  void tell_due();
  void close() noexcept;
  void finish();
  void fail(const Error& error);

  Loop& loop_;
  UniqueFd fd_;
  std::optional<uv::Poll> poll_;
  std::optional<uv::Timer> retry_;  // while the kernel takes no descriptor
  Handlers handlers_;
  Limits limits_;
  FrameReader reader_;
  Outbox outbox_;
  Receipts receipts_;
  SentSockets sent_sockets_;
  HeldSockets held_sockets_;
  struct HandleNote {
    std::string key;  // "" when it is not counted
    std::function<void()> on_lost;
  };
  std::deque<HandleNote> handle_notes_;  // of the handles in the outbox
  std::deque<UniqueFd> received_;        // descriptors whose NODE_HANDLE line is not yet complete
  std::optional<Error> write_failure_;   // told at EOF: callbacks never come from within send()
  State state_ = State::open;
  bool blocked_ = false;  // the socket takes no more now
  bool paused_ = false;
  bool lines_wait_ = false;         // whole lines that pause() left in reader_
  std::optional<bool> referenced_;  // by ref() or unref()
  bool referenced_by_default_ = true;
  bool scheduled_ = false;
  bool write_scheduled_ = false;  // something left in this turn of the loop
  bool abandoned_ = false;
  int lone_handles_ = 0;  // to be taken without a look for more in the same turn
  int turns_ = 0;
  std::size_t message_bytes_ = 0;
};

}  // namespace pronghorn::ipc

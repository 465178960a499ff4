// SPDX-License-Identifier: Apache-2.0
// One listening descriptor: takes connections a few at a time, and stops for a while when the
// kernel has no descriptors left. libuv's own listener would accept all there are, and at EMFILE
// accept and drop them, although other workers could serve them. Owned by Server.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

#include "base/uv/poll.h"
#include "base/uv/timer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <sys/socket.h>

namespace pronghorn::server {

class Acceptor {
 public:
  /// More would starve the connections that are open, and leave nothing for the other workers.
  static constexpr int kPerWakeup = 8;
  /// How long accepting rests when descriptors or memory ran out.
  static constexpr Millis kPause{100};

  class Owner {
   public:
    /// False: the server is full. It calls set_enabled() when there is room again.
    virtual bool has_room() const noexcept = 0;
    /// Asked before each further accept of a wake-up.
    virtual bool takes_another() noexcept = 0;
    /// `port` is ours; 0 of a unix socket.
    virtual void on_accepted(UniqueFd socket, const sockaddr_storage& peer, std::uint16_t port,
                             std::uint32_t profile) = 0;
    virtual void on_wakeup_end() noexcept = 0;
    /// Accepting rests: the kernel is out of descriptors or memory.
    virtual void on_accept_failed() noexcept = 0;
    /// The queue has been emptied by drain() and the listener is closed, or polling it failed.
    virtual void on_acceptor_closed() noexcept = 0;

   protected:
    ~Owner() = default;
  };

  /// Begins disabled. @errors of watching the descriptor
  /// @param profile  for on_accepted
  static Result<std::unique_ptr<Acceptor>> open(Loop& loop, UniqueFd listener, Owner& owner,
                                                std::uint32_t profile = 0);

  void set_enabled(bool on) noexcept;
  /// Takes what the queue holds, whatever takes_another() says, and closes the listener when it is
  /// empty.
  void drain();
  bool is_closed() const noexcept { return !listener_; }
  bool is_draining() const noexcept { return draining_; }

 private:
  enum class Taken : std::uint8_t { one, again, none, stop };

  Acceptor(Loop& loop, UniqueFd listener, Owner& owner, std::uint32_t profile);
  void on_ready(int error);
  void take_all();
  Taken take_one();
  void pause(int error);
  void watch() noexcept;
  void close_empty();
  void close() noexcept;

  UniqueFd listener_;
  Owner& owner_;
  const std::uint32_t profile_;
  std::optional<uv::Poll> poll_;
  uv::Timer rest_;
  std::uint64_t pauses_ = 0;
  int drained_ = 0;
  std::uint16_t port_;
  bool enabled_ = false;
  bool resting_ = false;
  bool draining_ = false;
};

}  // namespace pronghorn::server

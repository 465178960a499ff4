// SPDX-License-Identifier: Apache-2.0
// Connections whose bodies wait for room in their sockets. Used by Connection.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>

#include "base/uv/poll.h"

#include <array>
#include <cstddef>
#include <optional>
#include <sys/epoll.h>

namespace pronghorn::server {

class Connection;

/// An epoll of its own, edge-triggered, which the loop watches as one descriptor: libuv's handles
/// tell of room only to a uv_write() of bytes that it keeps, and take an epoll_ctl(2) to begin and
/// to end each wait. Here a socket is added once.
class WritableSet {
 public:
  /// Throws std::system_error where there is no descriptor to be had.
  explicit WritableSet(Loop& loop);

  /// Until remove(), on_room() is called when the socket has room after it had none. False: the
  /// kernel has no memory for it.
  bool add(int fd, Connection& connection) noexcept;
  /// Before its descriptor is closed, by whoever was added.
  void remove(int fd, Connection& connection) noexcept;

 private:
  void take() noexcept;

  UniqueFd epoll_;
  std::optional<uv::Poll> poll_;
  std::array<epoll_event, 64> ready_{};
  std::size_t begin_ = 0, end_ = 0;  // of ready_: who is called next; null: removed since
};

}  // namespace pronghorn::server

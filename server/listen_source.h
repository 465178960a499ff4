// SPDX-License-Identifier: Apache-2.0
// Where a Server gets its connections from: it opens its own listening socket, or, in a worker of a
// cluster, asks the primary. Implemented by worker::PrimaryListen; found by the loop.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/config/config.h>

#include <cstdint>
#include <functional>

namespace pronghorn {
struct WorkerCounters;
}

namespace pronghorn::server {

struct ListenRequest {
  config::ListenAddress address;
  std::int64_t backlog = 0;  ///< 0: the default (Node: 511)
  bool ipv6_only = false;
  bool readable_all = false;  ///< of a unix socket's file (Node: readableAll, writableAll)
  bool writable_all = false;
};

class ListenSource {
 public:
  using Ticket = std::uint64_t;
  struct Grant {
    Address address;  ///< with the real port
    /// To accept from; empty: connections come by Client::on_connection.
    UniqueFd socket;
  };
  /// The Server's side. All are called from the loop, none from within a call of ours.
  struct Client {
    std::function<void(Result<Grant>)> on_granted;
    /// @returns whether it was taken; a connection that was not goes to another worker
    std::function<bool(UniqueFd)> on_connection;
    /// The process is asked to leave: close gracefully, and call `closed` when no connection is
    /// left.
    std::function<void(std::function<void()> closed)> on_close_asked;
    /// Accept from this socket as well, that of a slot whose worker is away, until
    /// on_lending_ended.
    std::function<void(std::uint32_t slot, UniqueFd socket)> on_lent;
    std::function<void(std::uint32_t slot)> on_lending_ended;
  };

  virtual Ticket listen(const ListenRequest& request, Client client) = 0;
  /// The Server listens now (Node: act 'listening'); only after on_granted without an error.
  virtual void listening(Ticket ticket) = 0;
  /// It does not any more, or is gone: nothing of its Client is called from now on.
  virtual void close(Ticket ticket) noexcept = 0;
  /// Where the loop's servers count that are given no counters of their own; null: nowhere.
  virtual WorkerCounters* counters() noexcept { return nullptr; }

  /// The source of this loop's servers; null: they open their sockets themselves.
  static ListenSource* of(Loop& loop) noexcept;
  /// `source`, which may be null, outlives its use by the loop's servers.
  static void set(Loop& loop, ListenSource* source);

 protected:
  ~ListenSource() = default;
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// The primary's half of Node's cluster protocol (node-ipc 2 and 3.4): workers ask for servers, and
// get a socket or connections; a strategy each (ServerHandle). Starts and ends no process. Used by
// Master for serve and run, and by the Cluster facade.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/scheduling.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/handle.h>
#include <pronghorn/json_fwd.h>

#include "ipc/scoreboard.h"
#include "master/cluster/member.h"
#include "master/listener.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace pronghorn::master {

class Primary {
 public:
  using Json = nlohmann::json;
  using Id = std::uint64_t;  ///< NODE_UNIQUE_ID: counts up from 1, never again the same

  struct Options {
    Scheduling scheduling = Scheduling::round_robin;  ///< of servers that are opened from now on
    bool sticky = false;  ///< by client address; for the strategies that hand over
    /// Servers that the workers may have open at once: for one more, one goes that no worker has
    /// any longer, or it is refused (EMFILE).
    std::size_t max_servers = 1024;
    /// Connections that one server's primary holds while their worker is busy, beyond which they
    /// stay in the kernel's queue.
    std::size_t max_waiting = 1024;
    /// Of our workers; null: none has counters, and least_connections and reuseport are refused
    /// (ENOTSUP, and a line in the log).
    ipc::Scoreboard* board = nullptr;
    /// Which descriptors of this process workers may ask for by number ({fd}); empty: any, as in
    /// Node. Others are EBADF.
    std::function<bool(std::int64_t fd)> lends{};
  };
  /// From the loop. Each may call Primary again, and add or remove workers.
  struct Events {
    std::function<void(Id)> on_online;
    std::function<void(Id, const Address&)> on_listening;
    /// It leaves on its own account (act 'exitedAfterDisconnect').
    std::function<void(Id)> on_leaving;
  };

  Primary(Loop& loop, Options options, Events events);
  ~Primary();
  Primary(const Primary&) = delete;
  Primary& operator=(const Primary&) = delete;

  /// For servers that are opened from now on.
  void set_scheduling(Scheduling scheduling, bool sticky) noexcept;

  /// Serves this listener, which outlives the Primary's use of it (close_servers() ends that), to
  /// the workers that ask for its address.
  /// @errors of watching it; ENOTSUP: Options::board is needed
  Result<void> adopt(Listener& listener);

  /// `send` is the worker's channel: it must not call us. What it returns as an error is for the
  /// owner to judge (its end, or a worker that does not read); we go on without that worker.
  void add(Id id, std::optional<std::uint32_t> slot, Member::Send send);
  /// From the worker's channel. @returns whether it was a cluster message
  bool take(Id id, const Json& message);
  /// Tells it to leave (act 'disconnect'): it gets no server and no connection any more.
  /// Once; also for one that leaves on its own account it does nothing. @errors
  /// Errc::ipc_channel_closed
  Result<bool> disconnect(Id id);
  /// Its channel has ended or its process has: what it has not answered for goes to another. The
  /// servers stay, and queue.
  void remove(Id id);
  /// A worker without a heartbeat gets nothing new, and what only it could take goes to another.
  void set_suspect(Id id, bool suspect);

  /// The servers that were opened for workers begin no new connection (Listener::refuse_new), nor
  /// do the sockets beside adopted listeners (reuseport); those themselves are their owner's.
  void refuse_new();
  /// After refuse_new() and a quiet time: hands over what is queued in all of them, adopted ones
  /// included, and accepts no more; `done` from the loop or at once. May be called again: looks
  /// again, and tells only the last `done`.
  void drain(std::function<void()> done);
  /// Closes the servers that were opened for workers, and forgets the adopted ones: their listeners
  /// are their owner's. What drain() still waited for in them is over.
  void close_servers();

  struct Totals {
    std::uint64_t handed_over = 0;  ///< taken by a worker
    std::uint64_t refused = 0;      ///< given back by one, and offered to another
    std::uint64_t recovered = 0;    ///< of a worker that died before it answered; goes to another
    std::uint64_t given_up = 0;     ///< of one that had begun with it: closed
    std::uint64_t waiting = 0;      ///< now in the primary's hands
  };
  Totals totals() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// What a listening address of the cluster is to the workers that share it; one strategy each:
// SharedHandle, ReuseportHandle, HandOver. Owned by Primary, one per key.
#pragma once

#include "master/cluster/member.h"

#include <cstddef>
#include <functional>

namespace pronghorn::master {

class ServerHandle {
 public:
  virtual ~ServerHandle() = default;

  /// What a worker that asks for the server is answered.
  struct Join {
    int error = 0;  ///< errno: refused
    int fd = -1;    ///< borrowed: the socket that it accepts from; -1: connections are handed over
  };
  virtual Join join(Member& member) = 0;
  /// The reply to join() has been sent: connections may follow.
  virtual void joined(Member& member) { static_cast<void>(member); }
  /// It listens no more, leaves, or is gone (then nothing can be sent to it): what it has not
  /// answered for goes to another. Also for one that never joined.
  virtual void leave(Member& member, bool is_gone) = 0;
  /// Member::is_suspect() has changed.
  virtual void suspicion_changed(Member& member) { static_cast<void>(member); }

  virtual std::size_t members() const noexcept = 0;
  /// Connections that the primary has accepted and no worker has taken yet.
  virtual std::size_t waiting() const noexcept { return 0; }
  /// Listener::refuse_new() for sockets of its own.
  virtual void refuse_new() {}
  /// No new connection begins any more (the listener refuses them): hands over what the queue
  /// holds, and calls `done`, from the loop or at once, when nothing is left in the primary's
  /// hands.
  virtual void drain(std::function<void()> done) { done(); }
};

}  // namespace pronghorn::master

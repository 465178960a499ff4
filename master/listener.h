// SPDX-License-Identifier: Apache-2.0
// A listening socket that the master owns for its whole life; workers borrow it.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/config/config.h>
#include <pronghorn/ipc/cluster_messages.h>

#include "base/listen_socket.h"
#include "master/start_failure.h"

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace pronghorn::master {

class Listener {
 public:
  /// Binds and listens. @errors as people read them, with the exit code
  static std::expected<Listener, StartFailure> open(const config::ListenAddress& wanted,
                                                    int backlog, bool v6_only = false);
  /// Of a socket that listens.
  Listener(config::ListenAddress wanted, ListenSocket socket);
  /// One more socket of the same TCP address and port: the kernel spreads new connections over both
  /// (SO_REUSEPORT). @errors of the system calls
  Result<Listener> beside() const;

  int fd() const noexcept { return fd_.get(); }
  /// As the configuration has it (a port may be 0, a host a name).
  const config::ListenAddress& wanted() const noexcept { return wanted_; }
  /// With the real port.
  const config::ListenAddress& address() const noexcept { return address_; }
  std::string url() const;
  /// Whether a worker's queryServer means this listener: as the configuration has it, or as it is.
  bool matches(const ipc::ClusterMessage& query) const;

  struct Queue {
    std::uint32_t waiting = 0;  ///< connections that nobody has accepted yet
    std::uint32_t limit = 0;    ///< the backlog as the kernel took it
  };
  /// Zeroes for a unix socket.
  Queue queue() const noexcept;

  /// From now on no new connection begins; those that have begun can be accepted. Once.
  void refuse_new();
  /// Frees the address: what is still queued is reset.
  void close() noexcept;

 private:
  config::ListenAddress wanted_;
  config::ListenAddress address_;
  UniqueFd fd_;
  SocketFile file_;
};

/// All or nothing, in the order of the configuration.
std::expected<std::vector<Listener>, StartFailure> open_listeners(
    const std::vector<config::ListenAddress>& addresses, std::uint64_t backlog);

}  // namespace pronghorn::master

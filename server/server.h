// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server on one loop: takes listening descriptors, answers by a Router. Knows nothing
// of other processes; the worker room joins it to a master.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/config/config.h>
#include <pronghorn/server/router.h>

#include <functional>
#include <memory>
#include <string>

namespace pronghorn {

struct WorkerCounters;
namespace server {
class AcceptPolicy;
class AccessLog;
}  // namespace server

class Server {
 public:
  struct Options {
    config::Limits limits;
    config::Timeouts timeouts;
    /// Open connections before accepting stops; the caller has matched it to RLIMIT_NOFILE.
    std::uint64_t max_connections = 10'000;
  };
  /// `counters` may be null (own ones are used); it and `loop` must outlive the server.
  Server(Loop& loop, Router router, Options options, WorkerCounters* counters = nullptr);
  /// Closes every connection at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Begins to accept on a listening stream socket (TCP or unix). @errors of watching it
  Result<void> add_listener(UniqueFd listener);
  /// Off: stop watching the listeners (they stay open and queue); on: watch again. The server
  /// itself also pauses at max_connections and when the kernel is out of descriptors or memory.
  void set_accepting(bool on) noexcept;
  void set_accept_policy(server::AcceptPolicy* policy) noexcept;
  /// Not owned; null: no access log.
  void set_access_log(server::AccessLog* log) noexcept;

  /// From now on every answer says Connection: close; accepting goes on.
  void begin_drain() noexcept;
  /// Takes what the queues still hold, then closes the listeners; idle connections are closed after
  /// a quiet window in which a request on its way is still answered; `on_drained` is called when no
  /// connection is left. Implies begin_drain().
  void close_listeners(std::function<void()> on_drained);
  /// Cuts what is left.
  void close_connections() noexcept;

  std::uint64_t connections() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn

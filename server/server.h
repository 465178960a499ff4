// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server on one loop. Alone it opens its own socket; in a worker of a cluster (ours or
// Node's; a Cluster on the same loop) its listen() asks the primary, and nothing else differs.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/config/config.h>
#include <pronghorn/server/router.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn {

class ClientTable;
struct FolderOptions;
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
    config::RequestIds request_id{};
    /// Open connections before accepting stops; the caller has matched it to RLIMIT_NOFILE.
    std::uint64_t max_connections = 10'000;
  };
  struct ListenOptions {
    std::int64_t backlog = 0;   ///< 0: 511, as in Node
    bool exclusive = false;     ///< its own socket, also in a worker
    bool ipv6_only = false;     ///< `::` without IPv4
    bool readable_all = false;  ///< a unix socket's file: everybody may read (write) it
    bool writable_all = false;
    /// Of the connections that come to this address, in place of the server's. Their clients are
    /// counted apart where one of the limits that go by the client differs.
    std::optional<config::Limits> limits{};
    std::optional<config::Timeouts> timeouts{};
  };

  /// With the limits and times that the configuration has by default.
  explicit Server(Loop& loop);
  /// `counters` may be null (the Cluster's of this loop are used, or own ones); it and `loop` must
  /// outlive the server.
  Server(Loop& loop, Router router, Options options, WorkerCounters* counters = nullptr);
  /// Closes every connection at once. Not from a handler; any other callback may destroy it.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A route (router.h has the patterns). A malformed or repeated one is the error of listen().
  Server& get(std::string_view pattern, Handler handler);
  Server& post(std::string_view pattern, Handler handler);
  Server& put(std::string_view pattern, Handler handler);
  Server& patch(std::string_view pattern, Handler handler);
  Server& del(std::string_view pattern, Handler handler);
  Server& any(std::string_view pattern, Handler handler);
  Server& get(std::string_view pattern, const RouteOptions& options, Handler handler);
  Server& post(std::string_view pattern, const RouteOptions& options, Handler handler);
  Server& put(std::string_view pattern, const RouteOptions& options, Handler handler);
  Server& patch(std::string_view pattern, const RouteOptions& options, Handler handler);
  Server& del(std::string_view pattern, const RouteOptions& options, Handler handler);
  Server& any(std::string_view pattern, const RouteOptions& options, Handler handler);
  /// Middleware (Router::before, Router::after). A malformed prefix is the error of a malformed
  /// pattern.
  Server& before(std::string_view prefix, Router::Before call);
  Server& after(std::string_view prefix, Router::After call);

  /// The files of `directory` below "/assets" (folder.h, add_files). What is wrong is the error of
  /// listen().
  Server& files(std::string_view prefix, const std::string& directory);
  Server& files(std::string_view prefix, const std::string& directory,
                const FolderOptions& options);

  /// Listens on "HOST:PORT", ":PORT" (any address, both families), "[IPV6]:PORT" or "unix:PATH";
  /// port 0 is any free one, in a cluster the same for all workers. What becomes of it comes from
  /// the loop: on_listening, or on_error. May be called several times. The loop goes on until
  /// close(). Where SIGPIPE has its default action it is ignored from now on, as in Node.
  /// @errors what is no address; a wrong route; a server that was closed
  Result<void> listen(std::string_view address);
  Result<void> listen(std::string_view address, const ListenOptions& options);
  void on_listening(std::function<void(const Address&)> listener);
  /// EADDRINUSE, EACCES, … of listen(). Without a listener the error is logged and the loop stopped
  /// with exit code 1, as Node ends on an 'error' that nobody hears.
  void on_error(std::function<void(const Error&)> listener);
  /// The first address that it listens on.
  std::optional<Address> address() const;
  /// Node's server.close(), and no loss: takes what the queues still hold, then closes the
  /// listeners; idle connections are closed after a quiet window in which a request on its way is
  /// still answered, requests in flight are answered with Connection: close. `closed` comes from
  /// the loop when no connection is left. May be called again, to wait as well.
  void close(std::function<void()> closed = {});

  /// Takes a connection that was accepted elsewhere; it is read from the loop only. @returns false
  /// when the server is full or closing: the socket is closed then, and its sender has to keep a
  /// copy
  bool add_connection(UniqueFd connection);
  /// Begins to accept on a listening stream socket (TCP or unix). @errors of watching it
  Result<void> add_listener(UniqueFd listener);
  /// Off: stop watching the listeners (they stay open and queue); on: watch again. The server
  /// itself also pauses at max_connections and when the kernel is out of descriptors or memory.
  void set_accepting(bool on) noexcept;
  void set_accept_policy(server::AcceptPolicy* policy) noexcept;
  /// Before listen(): where clients are counted with other processes; it outlives the server.
  /// Without it the server counts alone.
  void set_client_table(ClientTable* table, std::uint32_t slot) noexcept;
  /// Not owned; null: no access log.
  void set_access_log(server::AccessLog* log) noexcept;

  /// From now on every answer says Connection: close; accepting goes on.
  void begin_drain() noexcept;
  /// Cuts what is left.
  void close_connections() noexcept;

  std::uint64_t connections() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn

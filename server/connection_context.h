// SPDX-License-Identifier: Apache-2.0
// What all connections of a server share: buffers, limits, clocks. Owned by Server.
#pragma once

#include <pronghorn/base/uv/loop.h>
#include <pronghorn/config/config.h>

#include "base/uv/timer.h"
#include "server/session.h"
#include "server/writable_set.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pronghorn::server {

class Connection;
class Deadlines;

class ConnectionContext {
 public:
  class Owner {
   public:
    /// Takes the connection off its list and destroys it.
    virtual void on_connection_closed(Connection& connection) noexcept = 0;

   protected:
    ~Owner() = default;
  };

  static constexpr std::size_t kReceiveBytes = 64 * 1024;

  ConnectionContext(Loop& loop, SessionContext& session, const config::Limits& limits,
                    const config::Timeouts& timeouts, Deadlines& deadlines, Owner& owner);
  ~ConnectionContext();
  ConnectionContext(const ConnectionContext&) = delete;
  ConnectionContext& operator=(const ConnectionContext&) = delete;

  /// Around each call of a session, whose answers go to `out`: sets the clocks, and sees to it that
  /// the access log is written once at the end of the turn, or when its time has come.
  template <class Call>
  std::string& with_session(SessionOwner& of, Call call) {
    begin_call();
    session.owner = &of;
    call(out);
    end_call();
    return out;
  }
  /// Calls the connection's flush() at the end of the turn, unless forget() comes before.
  void wake(Connection& connection);
  void forget(Connection& connection) noexcept;
  /// A session has told the access log something outside of with_session().
  void log_written() noexcept;
  /// True while a handler may be on the stack: the server then must not touch connections.
  bool is_in_session() const noexcept { return in_session_; }

  Loop& loop;
  SessionContext& session;
  const config::Limits& limits;
  const config::Timeouts& timeouts;
  Deadlines& deadlines;
  Owner& owner;
  std::span<char> receive;
  WritableSet writable;
  std::string out;
  /// Since when idle connections are only kept for the quiet window.
  std::optional<std::int64_t> quiet_since_ms;

 private:
  void begin_call();
  void end_call();
  void schedule_flush();
  void flush_log() noexcept;
  void flush_woken();

  std::unique_ptr<char[]> receive_memory_;
  std::vector<Connection*> woken_, flushing_;  // null: gone since
  std::shared_ptr<ConnectionContext*> self_;   // empty once we are gone: for deferred calls
  std::int64_t dated_ms_ = -1;
  bool in_session_ = false;
  bool flush_scheduled_ = false;
  uv::Timer log_timer_;  // for what may or must wait longer than a turn
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 connection without its socket: bytes in, bytes out. Driven by Connection; no I/O, no
// clock but the one it is given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <pronghorn/config/config.h>
#include <pronghorn/server/response.h>

namespace pronghorn {
class Router;
struct WorkerCounters;
}  // namespace pronghorn

namespace pronghorn::server {

class AccessLog;
class DateCache;

/// What all sessions of one server share; outlives them.
struct SessionContext {
  Router& router;
  const config::Limits& limits;
  DateCache& date;              // the Date field's text, refreshed once a second by the server
  WorkerCounters& counters;
  AccessLog* access_log = nullptr;
  bool draining = false;        // every answer says Connection: close
  std::int64_t now_ms = 0;      // monotonic, set by the connection before it calls a session
};

class Session {
 public:
  /// What the session waits for: selects the deadline that the connection sets.
  enum class Phase : std::uint8_t {
    idle,       // between requests (timeouts.keepalive; the first request of a connection: timeouts.head)
    head,       // part of a head is here (timeouts.head, from its first byte)
    body,       // part of a body is awaited (timeouts.body between bytes, limits.body_rate overall)
    answering,  // a file body is being written; input is held back
    closing,    // nothing more is read or answered: close when the output is gone
  };

  /// `peer` is the client's address as text; copied.
  Session(SessionContext& context, std::string_view peer);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Received bytes; answers are appended to `out`, several when requests were pipelined. Incomplete
  /// heads and bodies are kept inside (counted against the limits before they are stored); a session that
  /// is idle keeps no buffer. Must not be called while wants_input() is false.
  void on_bytes(std::string_view bytes, std::string& out);
  /// The client sent FIN: complete requests are still answered, an incomplete one is refused (400).
  void on_eof(std::string& out);
  /// The deadline of phase() has passed: 408 for a begun head or body, nothing for an idle connection.
  void on_timeout(std::string& out);
  /// The body that take_file() gave has been written in full: goes on with input that was held back.
  void on_file_sent(std::string& out);

  Phase phase() const noexcept;
  /// False: the connection stops reading (a file is being written, the pipeline limit is reached).
  bool wants_input() const noexcept;
  /// A body that must follow what is in `out`, before anything else. At most one at a time.
  std::optional<FileBody> take_file() noexcept;
  /// Close once everything is written …
  bool wants_close() const noexcept { return phase() == Phase::closing; }
  /// … after FIN, reading and dropping what the client still sends (RFC 9112 §9.6), because unread
  /// input would make the kernel send RST over our last answer.
  bool needs_linger() const noexcept;
  /// Requests answered so far; bytes of the current body so far (for limits.body_rate).
  std::uint64_t requests() const noexcept;
  std::uint64_t body_received() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 connection without its socket: bytes in, bytes out. Driven by Connection; no I/O
// here, and no clock but the one it is given (the access log's durations apart).
#pragma once

#include <pronghorn/config/config.h>
#include <pronghorn/server/response.h>

#include "base/client_key.h"
#include "server/body_source.h"
#include "server/peer.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn {
class ClientTable;
class Loop;
class Request;
class Router;
struct WorkerCounters;
}  // namespace pronghorn

namespace pronghorn::server {

class AccessLog;
struct AnswerFraming;
struct AnswerState;
class BodyState;
class DateCache;
class ExchangePool;
class HandlerTasks;
struct Exchange;

/// The memory of requests in hand, shared by the sessions of one server so that idle ones own none.
/// `trusts_ids`: a request is called what its client says (RequestId).
std::shared_ptr<ExchangePool> make_exchange_pool(bool trusts_ids = false);
/// The coroutines of handlers that wait.
std::shared_ptr<HandlerTasks> make_handler_tasks();

/// Who drives a session; outlives it.
class SessionOwner {
 public:
  /// A handler has something to say, or wants to hear: call on_output(), later, as its code is on
  /// the stack.
  virtual void on_output() noexcept = 0;
  /// Bytes of earlier `out` that the client has not taken.
  virtual std::size_t unsent_output() const noexcept = 0;

 protected:
  ~SessionOwner() = default;
};

/// What all sessions of one server share; outlives them.
struct SessionContext {
  Router& router;
  const config::Limits& limits;
  DateCache& date;  // the Date field's text, refreshed once a second by the server
  WorkerCounters& counters;
  AccessLog* access_log = nullptr;
  bool draining = false;    // every answer says Connection: close
  bool answers_id = false;  // … and X-Request-Id
  // Set by the connection before it calls its session:
  std::int64_t now_ms = 0;        // monotonic
  SessionOwner* owner = nullptr;  // kept where a handler answers later: idle sessions need none
  std::shared_ptr<ExchangePool> pool = make_exchange_pool();
  std::shared_ptr<HandlerTasks> tasks = make_handler_tasks();
  /// For what handlers are told after a session's end. Null where there is none: told at once.
  Loop* loop = nullptr;
  ClientTable* clients = nullptr;  // null: no limit goes by the client's address
  std::uint64_t client_scope = 0;  // where limits.requests_per_second counts
};

class Session {
 public:
  /// What the session waits for: selects the deadline that the connection sets.
  enum class Phase : std::uint8_t {
    idle,       // between requests (timeouts.keepalive; the first request of a connection:
                // timeouts.head)
    head,       // part of a head is here (timeouts.head, from its first byte)
    body,       // part of a body is awaited (timeouts.body between bytes, limits.body_rate overall)
    handling,   // a handler has not begun to answer (timeouts.handler)
    streaming,  // a handler answers in pieces, or has taken the connection over; it may be quiet
    answering,  // output must go first: a file body, or the answers of a long pipeline
                // (timeouts.write)
    closing,    // nothing more is read or answered: close when the output is gone
  };

  /// `peer` is the client's address as text; copied. `port`: ours, for the access log; 0: none.
  Session(SessionContext& context, std::string_view peer, std::uint16_t port = 0);
  ~Session();
  Session(const Session&) = delete;
  /// Whose requests are counted (SessionContext::clients); 0: nobody's.
  void set_client(ClientKey client) noexcept { client_ = client; }
  ClientKey client() const noexcept { return client_; }
  Session& operator=(const Session&) = delete;

  /// Received bytes; answers are appended to `out`, several when requests were pipelined.
  /// Incomplete heads and bodies are kept inside (counted against the limits before they are
  /// stored); a session that is idle keeps no buffer. Must not be called while wants_input() is
  /// false.
  void on_bytes(std::string_view bytes, std::string& out);
  /// The client sent FIN: complete requests are still answered, an incomplete one is refused (400),
  /// half a request line is no request. While input is held back it is remembered.
  void on_eof(std::string& out);
  /// The same of a client whose input is held back, so that its end was not read: a handler may
  /// want to know at once. @returns whether one did, which it does not say again
  bool on_client_end(std::string& out);
  /// The deadline of phase() has passed: 408 for a begun head or body, 503 for a handler that has
  /// not answered, nothing for an idle connection.
  void on_timeout(std::string& out);
  /// The piece that take_file() gave has been written in full: goes on with the next, or with input
  /// that was held back.
  void on_file_sent(std::string& out);
  /// All of `out` has been written and wants_writable(): limits.pipeline answers were given, or
  /// limits.write_buffer reached, and more requests are here, the next limits.pipeline of which are
  /// answered; or a handler has waited for that. Harmless at any other time.
  void on_writable(std::string& out);
  /// What SessionOwner::on_output() asked for. Harmless at any other time.
  void on_output(std::string& out);

  /// The connection ends now, and `unsent` bytes of what it was given were not taken: the access
  /// log is told of an answer that has no end.
  void on_cut(std::uint64_t unsent) noexcept;

  Phase phase() const noexcept;
  /// False: the connection stops reading, writes what it has (and the file, if take_file() gives
  /// one), then calls on_file_sent() or, if wants_writable(), on_writable().
  bool wants_input() const noexcept;
  bool wants_writable() const noexcept;
  /// What of a body must follow what is in `out`, before anything else; null: nothing. One at a
  /// time, which stays the session's: who sends it counts it down, until on_file_sent().
  BodyPiece* take_file() noexcept;
  /// Close once everything is written …
  bool wants_close() const noexcept { return stage_ == Stage::closing; }
  /// … after FIN, reading and dropping what the client still sends (RFC 9112 §9.6), because unread
  /// input would make the kernel send RST over our last answer.
  bool needs_linger() const noexcept { return wants_close() && linger_; }
  /// … or at once, with RST: an answer was cut, and a FIN would make it look whole.
  bool needs_reset() const noexcept { return reset_; }
  /// Requests answered so far; bytes of the current body so far (for limits.body_rate).
  std::uint64_t requests() const noexcept { return requests_; }
  std::uint64_t body_received() const noexcept;
  /// When bytes of the current body last came, or were asked for again.
  std::int64_t input_ms() const noexcept;
  void note_input(std::int64_t now_ms) noexcept;
  /// Time for which this body was awaited before the current stretch of Phase::body, and another
  /// such stretch: a handler that pauses must not win a slow client time.
  std::int64_t body_waited_ms() const noexcept;
  void add_body_wait(std::int64_t ms) noexcept;
  /// Of Phase::handling: the route's own, or `usual`.
  std::chrono::milliseconds handler_timeout(std::chrono::milliseconds usual) const noexcept;

 private:
  friend struct AnswerState;
  friend class BodyState;
  enum class Stage : std::uint8_t {
    start,
    head,
    body,      // of a request whose handler is not called yet, reads it, or has answered already
    handler,   // the request is here, its answer is not
    held,      // output must go first
    file,      // … a file's
    upgraded,  // bytes without HTTP
    closing
  };
  /// Why the connection ends after the answer, if it does.
  enum class Close : std::uint8_t { no, asked_by_client, ours };
  /// An answer all of which is put out, or left with the source of its body.
  struct Finished {
    int status = 0;
    std::uint64_t body_bytes = 0;
    std::uint64_t bytes_out = 0;  // with the head
    std::string_view head;        // begins with it; for an access log that wants it
    std::uint64_t waiting = 0;    // of it, put out in this call, or not even that
  };

  // session.cpp
  void consume(std::string_view in, std::string& out);
  void resume(std::string& out);
  void hold_back(std::string_view in);
  void finish_eof(std::string& out);
  Exchange& exchange();
  void release_exchange() noexcept;

  // session_read.cpp: bytes to requests
  bool skip_empty_lines(std::string_view& in, std::string& out);
  void read_head(std::string_view& in, std::string& out);
  void begin_request(std::string_view in, std::string& out);
  void begin_known(std::string_view in, std::string& out);
  bool read_plain(std::string_view& in);
  void begin_plain(std::string_view in, std::string& out);
  void begin_counting() noexcept;
  int understand();
  void understand_copy();
  void find_route();
  void keep_for_later(bool may_repeat);
  bool may_answer_later() const noexcept;
  void decide_persistence() noexcept;
  void admit(std::string_view in, std::string& out);
  void read_body(std::string_view& in, std::string& out);
  std::string_view host() const noexcept;
  bool asks_too_often() noexcept;  // session_limits.cpp

  void discard_body(std::string_view& in, std::string& out);

  // session_handler.cpp: requests to handlers
  void dispatch(std::string& out);
  bool ask_middleware(std::string& out);
  void build_request();
  void call_handler(std::string& out);
  void call_later_handler(std::string& out);
  Response answer_without_handler();

  // session_stream.cpp: what handlers say later
  void advance(std::string& out);
  void fail(std::string& out);
  bool put_head(std::string& out);
  void stream(std::string& out);
  void cut(std::string& out);
  void abandon(int status, std::string& out);
  void take_over(std::string& out);
  void put_switching(std::string& out);
  void deliver_body(bool last, std::string& out);
  void deliver_upgraded(std::string_view& in, std::string& out);
  bool reads_body() const noexcept;
  bool may_upgrade() const noexcept;
  void on_body_asked() noexcept;

  // session_answer.cpp: answers to bytes
  AnswerFraming begin_answer();
  bool run_after(Response& response) noexcept;
  void answer(Response&& response, std::string& out);
  std::string_view request_id() noexcept;
  void put_id(Response& response);
  void log_unsendable(const Response& response);
  void put_interim(std::string_view bytes, std::string& out);
  void finish_answer(const Finished& answer);
  void finish_stream(const AnswerState& answer, std::string_view out);
  void count_answer(int status) noexcept;
  void refuse(int status, std::string& out);
  void end_exchange() noexcept;
  // session_log.cpp
  void record(const Finished& answer, std::uint32_t earlier) noexcept;
  void begin_record(const Finished& answer);
  void end_record(std::uint64_t missing) noexcept;
  std::string_view peer() const noexcept { return peer_.view(); }

  SessionContext& context_;
  ClientKey client_ = 0;
  std::unique_ptr<Exchange> exchange_;  // from the pool, only while something is in hand
  std::uint32_t requests_ = 0;
  std::uint32_t batch_ = 0;  // answers of the call in progress
  Stage stage_ = Stage::start;
  Close close_ = Close::no;
  std::uint8_t empty_lines_ = 0;  // before the request line
  bool empty_cr_ : 1 = false;     // CR of such a line was seen
  bool linger_ : 1 = false;
  bool eof_ : 1 = false;
  bool active_ : 1 = false;  // counted in requests_active
  bool reset_ : 1 = false;
  std::uint16_t port_ = 0;
  PeerText peer_;
};

}  // namespace pronghorn::server

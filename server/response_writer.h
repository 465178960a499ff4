// SPDX-License-Identifier: Apache-2.0
// The right to answer one request later, or in pieces. Given to handlers of the shape
// void(const Request&, ResponseWriter).
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/response.h>
#include <pronghorn/server/upgraded_stream.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace pronghorn {
namespace server {
class HandlerTasks;
class Session;
struct AnswerState;
}  // namespace server

/// Move-only. Dropped unanswered it sends a 500; dropped after start() without end() the connection
/// is cut, so that the client never sees a body that looks whole. May outlive the connection and
/// the server: everything is an error then. Only from the loop's thread.
///
/// What it is told is sent at the end of the loop's turn, all of it at once.
///
/// Errors of all that return a Result, beside their own: `Errc::stream_destroyed`, the client has
/// left, or timeouts.handler has passed and a 503 was sent; `Errc::headers_sent`, answered or
/// started already; `Errc::write_after_end`.
class ResponseWriter {
 public:
  using Headers = std::vector<Response::Header>;

  ResponseWriter(ResponseWriter&&) noexcept = default;
  ResponseWriter& operator=(ResponseWriter&& other) noexcept;
  ~ResponseWriter();

  /// The whole answer. @errors `Errc::invalid_char`, `Errc::invalid_status_code`: it is not to be
  /// sent (Response::header, Response::status), and a 500 is
  Result<void> respond(Response response);

  /// 102 (Processing) or 103 (Early Hints), any number before the answer. Nothing is sent to
  /// HTTP/1.0, which knows none (RFC 9110 §15.2). @errors `Errc::invalid_status_code`,
  /// `Errc::invalid_char`: nothing was sent
  Result<void> informational(int status, const Headers& headers = {});

  /// Begins an answer in pieces; `head` has no body. With `content_length` exactly that many bytes
  /// must be written; without, the body is chunked, and to HTTP/1.0 it ends with the connection.
  /// Bytes that are written as the answer to HEAD, or of 204 and 304, are counted and not sent.
  /// @errors as of respond(); `Errc::invalid_arg_value`: `head` has a body. A 500 is sent
  Result<void> start(Response head, std::optional<std::uint64_t> content_length = {});
  /// Copies `bytes`. @returns true: go on; false: taken, but limits.write_buffer bytes or more wait
  /// for the client – slow down until on_drain (a client that takes nothing is cut by
  /// timeouts.write). @errors `Errc::content_length_mismatch`: more than was announced; none of
  /// these bytes were taken. `Errc::headers_not_sent`: there was no start()
  Result<bool> write(std::string_view bytes);
  /// Ends it. Trailers go only after a chunked body (to HTTP/1.0 they are not sent), and must not
  /// be framing, routing, authentication, request modifiers or about the content (RFC 9110 §6.5.1).
  /// @errors `Errc::content_length_mismatch`: fewer bytes than announced; the connection is cut.
  /// `Errc::trailer_invalid`, `Errc::invalid_char`: nothing was sent, it can be ended without
  Result<void> end(const Headers& trailers = {});

  /// Takes the connection over (RFC 9110 §7.8): 101 with `head`'s fields ("Upgrade: websocket") and
  /// Connection: Upgrade; its status and body do not count.
  /// @errors `Errc::upgrade_not_asked`: the request did not ask, or was HTTP/1.0, or its body is
  /// not here in full. It can still be answered
  Result<UpgradedStream> upgrade(Response head);

  /// Called after a write() that returned false, when all has gone.
  void on_drain(std::function<void()> call);
  /// Called once when the client is gone before the answer's end, or the answer was given up for it
  /// (timeouts.handler, an incomplete body). Not when the server is destroyed.
  void on_close(std::function<void()> call);

  /// Called once when the client has ended its side of the connection (FIN): it sends no more. One
  /// that has closed all of it looks the same until it refuses the next bytes, one that only says
  /// that this was its last request waits for its answer, and gets it unless you end() or drop it:
  /// for answers whose clients do not end their side first, as browsers never do, it is their
  /// leaving. Also when it already has.
  void on_client_end(std::function<void()> call);

  /// Called once, from the loop, when the server begins to drain (Server::close, begin_drain), also
  /// when it does already: an answer without an end of its own should end now.
  void on_shutdown(std::function<void()> call);

  /// Nothing more can be sent: the client has left, or the answer is complete.
  bool is_gone() const noexcept;
  /// The server's loop. Not of a writer that was moved from.
  Loop& loop() const noexcept;

 private:
  friend class server::HandlerTasks;
  friend class server::Session;
  explicit ResponseWriter(std::shared_ptr<server::AnswerState> state) noexcept;
  std::shared_ptr<server::AnswerState> state_;
};

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// Server-sent events: text/event-stream, which browsers read with EventSource (HTML standard §9.2).
#pragma once

#include <pronghorn/base/clock.h>
#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response_writer.h>
#include <pronghorn/server/server_event.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn {

struct EventStreamOptions {
  /// A comment after so long without an event, so that nothing between here and the client takes
  /// the connection for dead, and a client that has left is noticed; 0: none.
  Millis keep_alive{15'000};
  /// Bytes that may wait for a slow client; more cuts the connection: it comes back, and says where
  /// it was.
  std::size_t send_limit = 1024 * 1024;
  /// Further fields of the answer, such as Access-Control-Allow-Origin.
  std::vector<Response::Header> headers = {};
};

/// A handle on one client that listens; copies are the same one, and compare equal. The stream ends
/// with its last handle. Only from the loop's thread; any of it may be called in any of its
/// callbacks, which are let go of at the end, so that they may hold handles.
class EventStream {
 public:
  /// Answers 200 with Content-Type: text/event-stream and Cache-Control: no-cache. HEAD is answered
  /// at once: the stream that it gets has ended. @errors those of ResponseWriter::start
  static Result<EventStream> start(const Request& request, ResponseWriter writer,
                                   EventStreamOptions options = {});

  /// @returns true: go on; false: taken, but the client is slow – wait for on_drain
  /// @errors EPIPE when it has ended, or the client has left; Errc::invalid_arg_value: a line end
  /// in `event` or `id`, what is not UTF-8
  Result<bool> send(const ServerEvent& event);
  Result<bool> send(std::string_view data) { return send(ServerEvent{.data = data}); }
  /// Lines that clients ignore. @errors as above
  Result<bool> comment(std::string_view text);
  /// Ends the answer. Clients come back after a while; answer 204 to tell them not to.
  void end();

  void on_drain(std::function<void()> call);
  /// Once, at the end: the client has left, which its FIN is enough of, or was too slow, end() was
  /// called, the server closes.
  /// Not when the server is destroyed.
  void on_close(std::function<void()> call);

  bool is_open() const noexcept;
  /// What the client saw last, as its Last-Event-ID says; empty: it is new here.
  const std::string& last_event_id() const noexcept;
  Loop& loop() const noexcept;

  friend auto operator<=>(const EventStream&, const EventStream&) noexcept = default;

 private:
  struct Impl;
  explicit EventStream(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace pronghorn

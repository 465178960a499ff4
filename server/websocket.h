// SPDX-License-Identifier: Apache-2.0
// WebSocket (RFC 6455): messages both ways over one connection.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/server/handler.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/websocket_options.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn {

/// A handle on one connection; copies are the same connection, and compare equal. Keep one to send
/// later. The connection does not need it: it lives until one of the two closes it, and lets go of
/// its callbacks then, so that they may hold handles. Only from the loop's thread; any of it may be
/// called in any of its callbacks.
///
/// A callback that throws is logged, and ends the connection with 1011.
class WebSocket {
 public:
  /// Sends a text message, which must be UTF-8. @returns true: go on; false: taken, but the client
  /// is slow – wait for on_drain. (Over options.send_limit the connection is cut.)
  /// @errors EPIPE once it is closing or closed; Errc::invalid_arg_value for what is not UTF-8
  Result<bool> send(std::string_view text);
  Result<bool> send_binary(std::string_view bytes);
  /// Up to 125 bytes. The server itself pings idle clients (options.ping_interval).
  Result<bool> ping(std::string_view bytes = {});
  /// Begins the closing handshake; on_close comes when the client has answered, or after
  /// options.close_timeout. Messages that still arrive are dropped.
  /// @errors EPIPE as above; Errc::invalid_arg_value: a code outside of 1000-1003, 1007-1014 and
  /// 3000-4999, a reason that is not UTF-8; Errc::out_of_range: a reason over 123 bytes
  Result<void> close(std::uint16_t code = 1000, std::string_view reason = {});
  /// Cuts the connection; on_close comes with 1006, from the loop.
  void destroy();

  /// The view is good for the call. Messages that nobody listens to are dropped: listen in
  /// `on_connection`, before anything is read.
  void on_message(std::function<void(std::string_view data, bool is_text)> call);
  /// After a send that returned false, when all has gone.
  void on_drain(std::function<void()> call);
  /// Once, at the end: the client's code (1005: it gave none), ours where the client broke the
  /// protocol (1002), sent text that is not UTF-8 (1007), too many small frames (1008) or too large
  /// a message (1009), 1006 where the connection went without a Close. Not when the server is
  /// destroyed.
  void on_close(std::function<void(std::uint16_t code, std::string_view reason)> call);
  /// Reads nothing, pings and the client's end included, until resume(): the client has to wait.
  /// Messages that were received already may still be handed out. The server does this by itself
  /// while the client does not take what is sent to it.
  void pause();
  void resume();

  bool is_open() const noexcept;
  /// The subprotocol that was chosen; empty: none.
  const std::string& protocol() const noexcept;
  Loop& loop() const noexcept;

  friend auto operator<=>(const WebSocket&, const WebSocket&) noexcept = default;

 private:
  friend struct WebSocketAccess;
  struct Impl;
  explicit WebSocket(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

/// A handler for a GET route: answers the handshake (400, 403 or 426 when it is none), then calls
/// `on_connection`. The request lives as long as the connection. When the server closes, clients
/// get 1001.
///
///     app.get("/chat", pronghorn::websocket([](pronghorn::WebSocket ws, const pronghorn::Request&)
///     {
///       ws.on_message([ws](std::string_view data, bool) mutable { (void)ws.send(data); });
///     }));
Handler websocket(WebSocketOptions options,
                  std::function<void(WebSocket, const Request&)> on_connection);
Handler websocket(std::function<void(WebSocket, const Request&)> on_connection);

}  // namespace pronghorn

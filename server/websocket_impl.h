// SPDX-License-Identifier: Apache-2.0
// WebSocket's inside: the session, its connection, its times and who listens.
#pragma once

#include <pronghorn/base/log.h>
#include <pronghorn/base/uv/timer.h>
#include <pronghorn/server/upgraded_stream.h>
#include <pronghorn/server/websocket.h>

#include "server/websocket_session.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pronghorn {

/// Held by the stream's callbacks while the connection lasts, and by the user's handles.
struct WebSocket::Impl final : server::WebSocketSession::Owner,
                               std::enable_shared_from_this<WebSocket::Impl> {
  Impl(UpgradedStream upgraded, WebSocketOptions chosen, std::string protocol);

  /// Listens to the stream and watches the time …
  void begin();
  /// … and begins to read: who made the connection has said by now what listens to messages.
  void start_reading();
  Result<bool> send(std::string_view data, bool is_text);
  Result<bool> ping(std::string_view data);
  Result<void> close(std::uint16_t code, std::string_view reason);
  void destroy();
  void update_reading();

  // Shared, because a callback may replace itself, or end the connection, which drops them all.
  template <class Signature>
  using Call = std::shared_ptr<std::function<Signature>>;
  Call<void(std::string_view, bool)> message_call;
  Call<void()> drain_call;
  void set_close_call(std::function<void(std::uint16_t, std::string_view)> call);
  bool paused = true;  // by the user, or not begun

  UpgradedStream stream;
  const WebSocketOptions options;
  const std::string protocol;
  server::WebSocketSession session;
  /// Runs a callback of the user's; one that throws ends the connection.
  template <class Function>
  void guard(Function function) noexcept;

 private:
  void on_bytes(std::string_view bytes);
  void on_message(std::string_view data, bool is_text) override;
  void on_drain();
  void on_lost();
  void on_time();
  Result<bool> flush();
  /// After what may have closed the session: closes the connection as well, tells the user.
  void settle();
  void finish();
  void report();
  bool is_open() const noexcept { return session.state() == server::WebSocketSession::State::open; }

  std::optional<uv::Timer> timer_;
  std::string out_;            // frames that the stream has not got yet
  std::uint64_t waiting_ = 0;  // bytes that were sent since the stream said stop
  std::int64_t heard_ms_ = 0;  // when the client last sent something
  bool pinged_ = false;        // … and it has to say something since
  bool slow_ = false;          // the client does not take what we send: nothing is read
  bool over_ = false;
  bool reported_ = false;
  Call<void(std::uint16_t, std::string_view)> close_call_;
};

template <class Function>
void WebSocket::Impl::guard(Function function) noexcept {
  try {
    return function();
  } catch (const std::exception& error) {
    log::error("websocket callback failed", {{"error", error.what()}});
  } catch (...) {
    log::error("websocket callback failed", {{"error", "not a std::exception"}});
  }
  if (is_open()) (void)close(1011, {});
}

}  // namespace pronghorn

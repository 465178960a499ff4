// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/websocket.h>

#include "server/websocket_handshake.h"
#include "server/websocket_impl.h"

#include <utility>

namespace pronghorn {

struct WebSocketAccess {
  static WebSocket handle(std::shared_ptr<WebSocket::Impl> impl) {
    return WebSocket(std::move(impl));
  }
  using Impl = WebSocket::Impl;
};

Result<bool> WebSocket::send(std::string_view text) { return impl_->send(text, true); }
Result<bool> WebSocket::send_binary(std::string_view bytes) { return impl_->send(bytes, false); }
Result<bool> WebSocket::ping(std::string_view bytes) { return impl_->ping(bytes); }

Result<void> WebSocket::close(std::uint16_t code, std::string_view reason) {
  return impl_->close(code, reason);
}

void WebSocket::destroy() { impl_->destroy(); }

void WebSocket::on_message(std::function<void(std::string_view, bool)> call) {
  if (!is_open()) return;
  impl_->message_call =
      std::make_shared<std::function<void(std::string_view, bool)>>(std::move(call));
}

void WebSocket::on_drain(std::function<void()> call) {
  if (is_open()) impl_->drain_call = std::make_shared<std::function<void()>>(std::move(call));
}

void WebSocket::on_close(std::function<void(std::uint16_t, std::string_view)> call) {
  impl_->set_close_call(std::move(call));
}

void WebSocket::pause() {
  impl_->paused = true;
  impl_->update_reading();
}

void WebSocket::resume() {
  impl_->paused = false;
  impl_->update_reading();
}

bool WebSocket::is_open() const noexcept {
  return impl_->session.state() == server::WebSocketSession::State::open;
}

const std::string& WebSocket::protocol() const noexcept { return impl_->protocol; }
Loop& WebSocket::loop() const noexcept { return impl_->stream.loop(); }

Handler websocket(WebSocketOptions options,
                  std::function<void(WebSocket, const Request&)> on_connection) {
  return Handler([options = std::move(options), on_connection = std::move(on_connection)](
                     const Request& request, ResponseWriter writer) {
    server::Handshake handshake = server::answer_handshake(request, options);
    if (!handshake.is_accepted()) {
      (void)writer.respond(std::move(handshake.answer));
      return;
    }
    auto upgraded = writer.upgrade(std::move(handshake.answer));
    if (!upgraded) {
      // A body came with the handshake, which no client sends.
      (void)writer.respond(Response::error(400));
      return;
    }
    auto impl = std::make_shared<WebSocketAccess::Impl>(std::move(*upgraded), options,
                                                        std::move(handshake.protocol));
    impl->begin();
    impl->guard([&] { on_connection(WebSocketAccess::handle(impl), request); });
    impl->start_reading();
  });
}

Handler websocket(std::function<void(WebSocket, const Request&)> on_connection) {
  return websocket(WebSocketOptions(), std::move(on_connection));
}

}  // namespace pronghorn

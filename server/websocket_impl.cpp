// SPDX-License-Identifier: Apache-2.0
// One WebSocket between its session and its connection.
#include "server/websocket_impl.h"

#include <pronghorn/base/log.h>

#include "server/buffer.h"

#include <algorithm>
#include <utility>

namespace pronghorn {
namespace {

using State = server::WebSocketSession::State;

}  // namespace

WebSocket::Impl::Impl(UpgradedStream upgraded, WebSocketOptions chosen, std::string protocol_name)
    : stream(std::move(upgraded)),
      options(std::move(chosen)),
      protocol(std::move(protocol_name)),
      session({.message = options.message_limit,
               .small_frames_per_second = options.small_frames_per_second},
              *this) {}

void WebSocket::Impl::begin() {
  auto self = shared_from_this();
  heard_ms_ = stream.loop().now_ms();
  timer_.emplace(stream.loop(), [this] { on_time(); });
  if (options.ping_interval > Millis(0)) timer_->start(options.ping_interval);
  stream.on_drain([self] { self->on_drain(); });
  stream.on_end([self] { self->on_lost(); });
  stream.on_close([self] { self->on_lost(); });
  stream.on_shutdown([self] {
    if (self->is_open()) (void)self->close(1001, {});
  });
  stream.pause();
  stream.on_data([self](std::string_view bytes) { self->on_bytes(bytes); });
}

void WebSocket::Impl::start_reading() {
  paused = false;
  update_reading();
}

void WebSocket::Impl::set_close_call(std::function<void(std::uint16_t, std::string_view)> call) {
  if (reported_) return;
  close_call_ =
      std::make_shared<std::function<void(std::uint16_t, std::string_view)>>(std::move(call));
}

void WebSocket::Impl::on_bytes(std::string_view bytes) {
  auto self = shared_from_this();
  heard_ms_ = stream.loop().now_ms();
  pinged_ = false;
  session.on_bytes(bytes, heard_ms_, out_);
  (void)flush();
  settle();
}

void WebSocket::Impl::on_message(std::string_view data, bool is_text) {
  if (auto call = message_call) guard([&] { (*call)(data, is_text); });
}

Result<bool> WebSocket::Impl::send(std::string_view data, bool is_text) {
  if (auto sent = session.send(data, is_text, out_); !sent) return std::unexpected(sent.error());
  return flush();
}

Result<bool> WebSocket::Impl::ping(std::string_view data) {
  if (auto sent = session.ping(data, out_); !sent) return std::unexpected(sent.error());
  return flush();
}

Result<void> WebSocket::Impl::close(std::uint16_t code, std::string_view reason) {
  if (auto sent = session.close(code, reason, out_); !sent) return sent;
  (void)flush();
  if (timer_) timer_->start(options.close_timeout);
  update_reading();  // the client's Close has to be heard
  return {};
}

/// Hands the stream what is here. @returns what its write() did
Result<bool> WebSocket::Impl::flush() {
  if (over_ || out_.empty()) return !slow_;
  auto written = stream.write(out_);
  if (slow_ || (written && !*written)) waiting_ += out_.size();
  server::clear_buffer(out_);
  if (!written) return written;
  slow_ = slow_ || !*written;
  if (waiting_ > options.send_limit) {
    log::warn("websocket client too slow", {{"waiting_bytes", waiting_}});
    destroy();
    return std::unexpected(Error(std::error_code(EPIPE, std::generic_category()),
                                 "the websocket's client is too slow"));
  }
  update_reading();
  return !slow_;
}

/// A client that does not take our answers gets no more of them to wait for.
void WebSocket::Impl::update_reading() {
  if (over_) return;
  if (is_open() && (slow_ || paused)) {
    stream.pause();
  } else {
    stream.resume();
  }
}

void WebSocket::Impl::on_drain() {
  auto self = shared_from_this();
  waiting_ = 0;
  slow_ = false;
  update_reading();
  if (auto call = drain_call; call && is_open()) guard([&] { (*call)(); });
}

void WebSocket::Impl::on_lost() {
  auto self = shared_from_this();
  session.on_gone();
  settle();
}

void WebSocket::Impl::destroy() {
  session.on_gone();
  if (over_) return;
  finish();
  stream.destroy();
  stream.loop().defer([self = shared_from_this()] { self->report(); });
}

void WebSocket::Impl::settle() {
  if (over_ || session.state() != State::closed) return;
  finish();
  // The server closes first (RFC 6455 §7.1.1), when its Close has gone.
  stream.end();
  report();
}

void WebSocket::Impl::finish() {
  over_ = true;
  timer_.reset();
}

void WebSocket::Impl::report() {
  auto self = shared_from_this();
  reported_ = true;
  message_call = nullptr;
  drain_call = nullptr;
  if (auto call = std::exchange(close_call_, nullptr)) {
    guard([&] { (*call)(session.close_code(), session.close_reason()); });
  }
}

/// The timer: our Close was not answered, a ping was not, or it is time for a ping.
void WebSocket::Impl::on_time() {
  auto self = shared_from_this();
  if (!is_open()) return destroy();
  if (paused || slow_) {
    // What is not read is not heard. A client that takes nothing is cut by timeouts.write.
    heard_ms_ = stream.loop().now_ms();
    pinged_ = false;
  }
  const Millis silent(stream.loop().now_ms() - heard_ms_);
  if (pinged_ && silent >= options.ping_interval + options.ping_timeout) return destroy();
  if (pinged_ || silent < options.ping_interval) {
    const Millis until = options.ping_interval + (pinged_ ? options.ping_timeout : Millis(0));
    return timer_->start(std::max(until - silent, Millis(1)));
  }
  pinged_ = true;
  timer_->start(options.ping_timeout);
  (void)ping({});
}

}  // namespace pronghorn

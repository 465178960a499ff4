// SPDX-License-Identifier: Apache-2.0
// The opening handshake of WebSocket (RFC 6455 §4.2). Pure: a request in, an answer out.
#pragma once

#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>
#include <pronghorn/server/websocket_options.h>

#include <string>
#include <string_view>

namespace pronghorn::server {

struct Handshake {
  Response answer;       ///< 101, or why not: 400, 403, 426
  std::string protocol;  ///< the one of `options.protocols` that was chosen; empty: none
  bool is_accepted() const noexcept { return answer.status() == 101; }
};

/// 426 for what is no WebSocket handshake, and for another version than 13 (§4.4); 400 for one that
/// is wrong; 403 for an origin that is not allowed.
Handshake answer_handshake(const Request& request, const WebSocketOptions& options);

/// Sec-WebSocket-Accept of a Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

}  // namespace pronghorn::server

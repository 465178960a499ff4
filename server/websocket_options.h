// SPDX-License-Identifier: Apache-2.0
// What a WebSocket route accepts, and its limits.
#pragma once

#include <pronghorn/base/clock.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pronghorn {

struct WebSocketOptions {
  /// Subprotocols that are spoken. Of those that the client names the first of its list is chosen;
  /// none, when it names none of them: then it may close.
  std::vector<std::string> protocols = {};
  /// Origins that may connect, as browsers send them ("https://example.org"). Empty: any. A browser
  /// lets every page connect to every server, with the user's cookies: name yours. Clients that are
  /// no browsers send no Origin, and are let in.
  std::vector<std::string> origins = {};
  /// Bytes of a message; a larger one ends the connection with 1009.
  std::uint64_t message_limit = 1ULL << 20;
  /// Frames of under 64 bytes that a client may send, on average; ten seconds' worth at once. More
  /// end the connection with 1008. 0: any number.
  std::uint32_t small_frames_per_second = 1000;
  /// Bytes that may wait for a slow client. More ends the connection with 1008: messages cannot be
  /// left out.
  std::uint64_t send_limit = 64ULL << 20;
  /// A ping after so long without a byte from the client; 0: never.
  Millis ping_interval{30'000};
  /// The connection is cut (1006) when nothing answers a ping for so long.
  Millis ping_timeout{10'000};
  /// … and when the client does not answer our Close, or does not take it.
  Millis close_timeout{5'000};
};

}  // namespace pronghorn

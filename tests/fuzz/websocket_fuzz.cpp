// SPDX-License-Identifier: Apache-2.0
// What a WebSocket client sends, any bytes: whole and cut into pieces it is the same messages, the
// same answers and the same end; what is sent back are whole frames, the last a Close.
#include "server/websocket_session.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pronghorn;
using server::WebSocketSession;

namespace {

struct Peer final : WebSocketSession::Owner {
  Peer() : session({.message = 512, .small_frames_per_second = 10}, *this) {}
  void on_message(std::string_view data, bool is_text) override {
    if (session.state() != WebSocketSession::State::open || data.size() > 512) std::abort();
    heard += (is_text ? "t" : "b") + std::to_string(data.size()) + ":" + std::string(data);
    // A message may ask for an answer, and for the end.
    if (data.starts_with("echo") && !session.send(data, is_text, out)) std::abort();
    if (data.starts_with("end") && !session.close(4000, "asked", out)) std::abort();
  }
  std::string heard, out;
  WebSocketSession session;
};

void check_frames(std::string_view out) {
  bool closed = false;
  while (!out.empty()) {
    if (closed || out.size() < 2) std::abort();
    const int first = static_cast<unsigned char>(out[0]);
    std::size_t size = static_cast<unsigned char>(out[1]);
    std::size_t head = 2;
    if ((first & 0xf0) != 0x80 || size > 126) std::abort();  // whole, unmasked, of under 64 KiB
    if (size == 126) {
      size = static_cast<std::size_t>(static_cast<unsigned char>(out[2])) << 8 |
             static_cast<unsigned char>(out[3]);
      head = 4;
    }
    if (out.size() < head + size) std::abort();
    closed = (first & 15) == 8;
    out.remove_prefix(head + size);
  }
}

std::string outcome(std::string_view input, std::size_t step) {
  Peer peer;
  for (std::size_t at = 0; at < input.size(); at += step) {
    peer.session.on_bytes(input.substr(at, step), 1000, peer.out);
  }
  check_frames(peer.out);
  peer.session.on_gone();
  if (peer.session.send("late", true, peer.out)) std::abort();
  return peer.heard + "|" + peer.out + "|" + std::to_string(peer.session.close_code()) +
         peer.session.close_reason();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string whole = outcome(input, input.size() + 1);
  if (whole != outcome(input, 1) || whole != outcome(input, 5)) std::abort();
  return 0;
}

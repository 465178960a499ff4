// SPDX-License-Identifier: Apache-2.0
// A WebSocket on byte strings: whole, cut in two at every place, and byte by byte.
#include "server/websocket_session.h"

#include "tests/unit/server/websocket_frames.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>

using namespace pronghorn;
using namespace pronghorn::server;
using namespace pronghorn::test;
using namespace std::string_literals;

namespace {

struct Peer final : WebSocketSession::Owner {
  explicit Peer(WebSocketSession::Limits limits = {}) : session(limits, *this) {}
  void on_message(std::string_view data, bool is_text) override {
    heard += (is_text ? "t:" : "b:") + std::string(data) + " ";
    if (reply) reply(data);
  }
  void feed(std::string_view bytes, std::size_t step) {
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      session.on_bytes(bytes.substr(at, step), now_ms, out);
    }
  }
  std::string outcome() {
    std::string text = heard + "| " + shown(out) + "| ";
    if (session.state() == WebSocketSession::State::open) return text + "open";
    if (session.state() == WebSocketSession::State::closing) return text + "closing";
    return text + std::to_string(session.close_code()) + " " + session.close_reason();
  }

  std::string heard, out;
  std::function<void(std::string_view)> reply;
  std::int64_t now_ms = 1'000'000;
  WebSocketSession session;
};

/// What becomes of these bytes, however they are cut.
std::string outcome(std::string_view bytes, WebSocketSession::Limits limits = {}) {
  Peer whole(limits);
  whole.feed(bytes, bytes.size());
  const std::string expected = whole.outcome();
  for (std::size_t cut = 1; cut < bytes.size() && cut < 300; ++cut) {
    CAPTURE(cut);
    Peer halves(limits);
    halves.feed(bytes.substr(0, cut), cut);
    halves.feed(bytes.substr(cut), bytes.size());
    CHECK(halves.outcome() == expected);
  }
  Peer singles(limits);
  singles.feed(bytes, 1);
  CHECK(singles.outcome() == expected);
  return expected;
}

}  // namespace

TEST_CASE("websocket session: messages, whole and in fragments") {
  CHECK(outcome(frame(kText, "hello")) == "t:hello | | open");
  CHECK(outcome(frame(kBinary, "\0\xff"s) + frame(kText, "")) == "b:\0\xff t: | | open"s);
  CHECK(outcome(frame(kText, "a", false) + frame(0, "b", false) + frame(0, "c")) ==
        "t:abc | | open");
  CHECK(outcome(frame(kText, "", false) + frame(0, "", false) + frame(0, "")) == "t: | | open");
  CHECK(outcome(frame(kText, "\xe2", false) + frame(0, "\x82", false) + frame(0, "\xac")) ==
        "t:\xe2\x82\xac | | open");
  const std::string medium(300, 'm'), large(70000, 'l');
  CHECK(outcome(frame(kBinary, medium)) == "b:" + medium + " | | open");
  Peer peer;
  peer.feed(frame(kBinary, large), 1000);
  CHECK(peer.outcome() == "b:" + large + " | | open");
}

TEST_CASE("websocket session: control frames may stand between fragments") {
  CHECK(outcome(frame(kText, "a", false) + frame(kPing, "p") + frame(kPong, "unasked") +
                frame(0, "b")) == "t:ab | pong:p | open");
  CHECK(outcome(frame(kPing, "") + frame(kPing, std::string(125, 'x'))) ==
        "| pong: pong:" + std::string(125, 'x') + " | open");
  CHECK(outcome(frame(kText, "a", false) + close_frame(1000)) == "| close:1000 | 1000 ");
}

TEST_CASE("websocket session: a frame that breaks the protocol ends it with 1002") {
  const auto refused = [](const std::string& bytes) {
    const std::string text = outcome(bytes + frame(kText, "after"));
    CHECK(text.starts_with("| close:1002("));
    return text.substr(text.rfind("| ") + 2);
  };
  CHECK(refused(frame(kText, "hello", true, "")) == "1002 frame without a mask");
  CHECK(refused(frame(kText, "", true, "")) == "1002 frame without a mask");
  CHECK(refused(frame(kText, "x", true, "\1\2\3\4", 4)) == "1002 reserved bit set");
  CHECK(refused(frame(kText, "x", true, "\1\2\3\4", 1)) == "1002 reserved bit set");
  for (int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    CHECK(refused(frame(opcode, "x")) == "1002 unknown opcode");
  }
  CHECK(refused(frame(0, "x")) == "1002 continuation of nothing");
  CHECK(refused(frame(kText, "a", false) + frame(kText, "b")) == "1002 message inside a message");
  CHECK(refused(frame(kPing, "x", false)) == "1002 wrong frame header");
  CHECK(refused(frame(kPing, std::string(126, 'x'))) == "1002 wrong frame header");
  CHECK(refused("\x81\xfe\x00\x05\1\2\3\4abcde"s) == "1002 wrong frame header");
  CHECK(refused("\x81\xff\0\0\0\0\0\0\xff\xff\1\2\3\4"s) == "1002 wrong frame header");
  CHECK(refused("\x82\xff\x80\0\0\0\0\0\0\0\1\2\3\4"s) == "1002 wrong frame header");
  CHECK(refused(frame(kClose, "x")) == "1002 close with half a code");
  for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535}) {
    CAPTURE(code);
    CHECK(refused(close_frame(code)) == "1002 close with a wrong code");
  }
}

TEST_CASE("websocket session: what is not UTF-8 ends it with 1007 as soon as it is seen") {
  const auto refused = [](const std::string& bytes) {
    CHECK(outcome(bytes) == "| close:1007(text that is not UTF-8) | 1007 text that is not UTF-8");
  };
  refused(frame(kText, "\xff"));
  refused(frame(kText, "ok\xed\xa0\x80"));    // a surrogate
  refused(frame(kText, "\xf4\x90\x80\x80"));  // beyond U+10FFFF
  refused(frame(kText, "\xc0\xaf"));          // not the shortest form
  refused(frame(kText, "a\xe2\x82"));         // cut off
  refused(frame(kText, "\xe2\x82", false) + frame(0, "x"));
  refused(frame(kText, "12345678\xff", false));  // the rest need not come
  refused(frame(kText, "\xe2", false) + frame(0, ""));
  CHECK(outcome(frame(kClose, "\x03\xe8\xff"s)).starts_with("| close:1007("));
  CHECK(outcome(frame(kBinary, "\xff")) == "b:\xff | | open");
}

TEST_CASE("websocket session: what a header alone forbids is refused before any payload") {
  constexpr WebSocketSession::Limits kFive{.message = 5};
  const std::string long_length = "\xff\1\0\0\0\0\0\0\0\1\2\3\4"s;
  const std::string over = "| close:1009(message over the limit) | 1009 message over the limit";
  CHECK(outcome("\x82\x86\1\2\3\4"s, kFive) == over);
  CHECK(outcome("\x82\xfe\1\0\1\2\3\4"s, kFive) == over);
  CHECK(outcome("\x82"s + long_length) == over);
  CHECK(outcome(frame(kBinary, "12345") + "\x81"s + long_length, kFive) == "b:12345 " + over);
  CHECK(outcome(frame(kBinary, "123", false) + "\x80\x83\1\2\3\4"s, kFive) == over);
  CHECK(outcome("\x82\5"s) == "| close:1002(frame without a mask) | 1002 frame without a mask");
  CHECK(outcome("\xc2\x85\1\2\3\4"s) == "| close:1002(reserved bit set) | 1002 reserved bit set");
  // One that is not here in full says nothing yet, and one that is allowed goes on.
  CHECK(outcome("\x82\x86\1\2\3"s, kFive) == "| | open");
  CHECK(outcome("\x82\x85\1\2\3\4"s, kFive) == "| | open");
}

TEST_CASE("websocket session: a message over the limit ends it with 1009 before it is here") {
  CHECK(outcome(frame(kBinary, "12345"), {.message = 5}) == "b:12345 | | open");
  const std::string end = "| close:1009(message over the limit) | 1009 message over the limit";
  CHECK(outcome(frame(kBinary, "123456").substr(0, 7), {.message = 5}) == end);
  CHECK(outcome(frame(kBinary, "123", false) + frame(0, "456"), {.message = 5}) == end);
  CHECK(outcome("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4x"s) == end);
}

TEST_CASE("websocket session: small frames are bounded, large ones are not") {
  Peer peer({.message = 1 << 20, .small_frames_per_second = 2});
  const std::string large = frame(kBinary, std::string(64, 'x'));
  for (int i = 0; i < 100; ++i) peer.feed(large, 1000);
  CHECK(peer.session.state() == WebSocketSession::State::open);
  for (int i = 0; i < 20; ++i) peer.feed(frame(kPing, "x"), 1000);
  CHECK(peer.session.state() == WebSocketSession::State::open);
  SUBCASE("ten seconds' worth at once, and then no more") {
    peer.feed(frame(kPing, "x"), 1000);
    CHECK(peer.session.close_code() == 1008);
  }
  SUBCASE("a second later as many as a second allows") {
    peer.now_ms += 1000;
    peer.feed(frame(kText, "x") + frame(kText, ""), 1000);
    CHECK(peer.session.state() == WebSocketSession::State::open);
    peer.feed(frame(kText, "x"), 1000);
    CHECK(peer.session.close_code() == 1008);
  }
  SUBCASE("without a bound any number") {
    Peer free({.message = 100, .small_frames_per_second = 0});
    for (int i = 0; i < 1000; ++i) free.feed(frame(kPing, "x"), 1000);
    CHECK(free.session.state() == WebSocketSession::State::open);
  }
}

TEST_CASE("websocket session: the client's Close is answered, and is the last") {
  CHECK(outcome(close_frame(1000, "bye") + frame(kText, "late")) == "| close:1000 | 1000 bye");
  CHECK(outcome(close_frame(4999)) == "| close:4999 | 4999 ");
  CHECK(outcome(frame(kClose, "")) == "| close: | 1005 ");
  for (int code : {1000, 1001, 1003, 1007, 1011, 1012, 1013, 1014, 3000}) {
    CHECK(outcome(close_frame(code)).contains("close:" + std::to_string(code)));
  }
}

TEST_CASE("websocket session: our Close waits for theirs, and drops what still comes") {
  Peer peer;
  REQUIRE(peer.session.close(1001, "away", peer.out));
  peer.feed(frame(kText, "late") + frame(kBinary, "la", false) + frame(kPing, "p") + frame(0, "te"),
            3);
  CHECK(peer.outcome() == "| close:1001(away) | closing");
  SUBCASE("they answer") {
    peer.feed(close_frame(1001), 1);
    CHECK(peer.outcome() == "| close:1001(away) | 1001 ");
  }
  SUBCASE("they break the protocol") {
    peer.feed(frame(7, "x"), 1);
    CHECK(peer.outcome() == "| close:1001(away) | 1002 unknown opcode");
  }
  SUBCASE("they leave") {
    peer.session.on_gone();
    CHECK(peer.outcome() == "| close:1001(away) | 1006 connection lost");
  }
  CHECK_FALSE(peer.session.close(1000, "", peer.out));
}

TEST_CASE("websocket session: what we send") {
  Peer peer;
  REQUIRE(peer.session.send("hello", true, peer.out));
  REQUIRE(peer.session.send("\xff", false, peer.out));
  REQUIRE(peer.session.send("", true, peer.out));
  REQUIRE(peer.session.ping("p", peer.out));
  CHECK(shown(peer.out) == "t:hello b:\xff t: ping:p ");
  peer.out.clear();
  const std::string medium(126, 'm'), large(65536, 'l');
  REQUIRE(peer.session.send(medium, false, peer.out));
  REQUIRE(peer.session.send(large, false, peer.out));
  CHECK(peer.out.starts_with("\x82\x7e\x00\x7e"s));
  CHECK(shown(peer.out) == "b:" + medium + " b:" + large + " ");
  const std::string before = peer.out;
  CHECK_FALSE(peer.session.send("\xff", true, peer.out));
  CHECK_FALSE(peer.session.ping(std::string(126, 'x'), peer.out));
  for (int code : {0, 1005, 1006, 1015, 2999}) {
    CHECK_FALSE(peer.session.close(static_cast<std::uint16_t>(code), "", peer.out));
  }
  CHECK_FALSE(peer.session.close(1000, std::string(124, 'x'), peer.out));
  CHECK_FALSE(peer.session.close(1000, "\xff", peer.out));
  CHECK(peer.out == before);
  REQUIRE(peer.session.close(1000, std::string(123, 'x'), peer.out));
  auto late = peer.session.send("late", true, peer.out);
  REQUIRE_FALSE(late);
  CHECK(late.error().errno_value() == EPIPE);
}

TEST_CASE("websocket session: it may be closed while it hands out a message") {
  Peer peer;
  peer.reply = [&](std::string_view data) {
    REQUIRE(peer.session.send("re " + std::string(data), true, peer.out));
    if (data == "2") REQUIRE(peer.session.close(4000, "", peer.out));
  };
  peer.feed(frame(kText, "1") + frame(kText, "2") + frame(kText, "3") + close_frame(4000), 1000);
  CHECK(peer.outcome() == "t:1 t:2 | t:re 1 t:re 2 close:4000 | 4000 ");
}

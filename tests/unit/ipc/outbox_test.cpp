// SPDX-License-Identifier: Apache-2.0
#include "ipc/outbox.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <string>

using pronghorn::UniqueFd;
using pronghorn::ipc::Outbox;

namespace {

UniqueFd any_descriptor() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Writes all that may leave now, at most `step` bytes a time; "<" marks a chunk that carries a
// descriptor.
std::string leave(Outbox& outbox, std::size_t step = SIZE_MAX) {
  std::string out;
  while (auto chunk = outbox.next()) {
    if (chunk->fd >= 0) out += '<';
    auto part = chunk->bytes.substr(0, step);
    out += part;
    outbox.wrote(part.size());
  }
  return out;
}

// Handles "a\n", "b\n" … for each letter.
void push_handles(Outbox& outbox, const std::string& letters, bool resend = false) {
  for (char c : letters) outbox.push_handle(std::string{c, '\n'}, any_descriptor(), resend);
}

// The peer's answers, 'y' or 'n' each; which handles are done then: 't'aken or 'l'ost.
std::string answer(Outbox& outbox, const std::string& answers) {
  std::string out;
  for (char c : answers) {
    if (c == 'y') outbox.acknowledged();
    if (c == 'n') outbox.refused();
    while (auto outcome = outbox.take_done()) {
      out += outcome == Outbox::Outcome::taken ? 't' : 'l';
    }
  }
  return out;
}

}  // namespace

TEST_CASE("outbox: messages wait behind a handle that is not acknowledged, and keep their order") {
  for (std::size_t step = 1; step <= 8; ++step) {
    CAPTURE(step);
    Outbox outbox;
    outbox.push("one\n");
    outbox.push_handle("handle\n", any_descriptor(), false);
    outbox.push("two\n");
    outbox.push_handle("second\n", any_descriptor(), false);
    outbox.push("three\n");
    CHECK(leave(outbox, step) == "one\n<handle\n");
    CHECK(outbox.queued() == 17);
    CHECK(leave(outbox, step).empty());
    CHECK(answer(outbox, "y") == "t");
    CHECK(leave(outbox, step) == "two\n<second\n");
    CHECK(answer(outbox, "y") == "t");
    CHECK(leave(outbox, step) == "three\n");
    CHECK(outbox.queued() == 0);
    CHECK(outbox.is_idle());
  }
}

TEST_CASE("outbox: 16 handles that follow one another leave before the first ACK") {
  Outbox outbox;
  push_handles(outbox, "abcdefghijklmnopqr");
  outbox.push("plain\n");
  CHECK(leave(outbox) == "<a\n<b\n<c\n<d\n<e\n<f\n<g\n<h\n<i\n<j\n<k\n<l\n<m\n<n\n<o\n<p\n");
  CHECK(answer(outbox, "y") == "t");
  CHECK(leave(outbox) == "<q\n");
  CHECK(answer(outbox, "yy") == "tt");
  CHECK(leave(outbox) == "<r\n");
  CHECK(answer(outbox, std::string(14, 'y')).size() == 14);
  CHECK(leave(outbox).empty());
  CHECK_FALSE(outbox.is_idle());
  CHECK(answer(outbox, "y") == "t");
  CHECK(leave(outbox) == "plain\n");
  CHECK(outbox.is_idle());
  CHECK(outbox.left() == outbox.pushed());
}

TEST_CASE("outbox: no second handle leaves behind one whose line was cut, until that is answered") {
  Outbox outbox;
  SUBCASE("by the socket") {
    outbox.push_handle("long\n", any_descriptor(), false);
    push_handles(outbox, "bc");
    CHECK(leave(outbox, 3) == "<long\n");
    CHECK(answer(outbox, "y") == "t");
    CHECK(leave(outbox) == "<b\n<c\n");
  }
  SUBCASE("by the kernel, in its length") {
    push_handles(outbox, "a");
    outbox.push_handle(std::string(8193, 'x'), any_descriptor(), false);
    push_handles(outbox, "bc");
    CHECK(leave(outbox).size() == 3 + 8194);
    CHECK(answer(outbox, "y") == "t");
    CHECK(leave(outbox).empty());
    CHECK(answer(outbox, "y") == "t");
    CHECK(leave(outbox) == "<b\n<c\n");
  }
  SUBCASE("when it was repeated") {
    outbox.push_handle("long\n", any_descriptor(), true);
    CHECK(leave(outbox) == "<long\n");
    push_handles(outbox, "b");
    CHECK(answer(outbox, "n").empty());
    CHECK(leave(outbox, 3) == "<long\n");
    CHECK(answer(outbox, "y") == "t");
    CHECK(leave(outbox) == "<b\n");
  }
}

TEST_CASE("outbox: no second handle leaves behind more than the peer reads at once") {
  constexpr std::size_t kRead = 64 * 1024;
  Outbox outbox;
  std::size_t together = 2;
  SUBCASE("64 KiB") { outbox.push(std::string(kRead - 2, 'x')); }
  SUBCASE("a byte more") {
    outbox.push(std::string(kRead - 1, 'x'));
    together = 1;
  }
  SUBCASE("a byte more with an answer") {
    outbox.push(std::string(kRead - 2, 'x'));
    REQUIRE(outbox.push_control("\n"));
    together = 1;
  }
  push_handles(outbox, "ab");
  auto sent = leave(outbox);
  CHECK(sent.ends_with(together == 2 ? "x<a\n<b\n" : "x<a\n"));
  CHECK(answer(outbox, "y") == "t");
  // What is before the ACK's handle was read.
  CHECK(leave(outbox) == (together == 2 ? "" : "<b\n"));
}

TEST_CASE("outbox: ACK and NACK overtake, but never cut a line") {
  Outbox outbox;
  outbox.push_handle("handle\n", any_descriptor(), false);
  outbox.push("later\n");
  outbox.wrote(3);
  CHECK(outbox.push_control("ACK\n"));
  CHECK(leave(outbox) == "dle\nACK\n");
  outbox.push_control("NACK\n");
  outbox.wrote(2);
  CHECK(answer(outbox, "y") == "t");
  CHECK(leave(outbox) == "CK\nlater\n");
}

TEST_CASE("outbox: a NACK sends a resendable handle three times more, before what waits") {
  Outbox outbox;
  push_handles(outbox, "a", true);
  outbox.push("later\n");
  CHECK(leave(outbox) == "<a\n");
  for (int i = 0; i < 3; ++i) {
    CHECK(answer(outbox, "n").empty());
    CHECK(outbox.queued() == 2 + 6);
    CHECK(leave(outbox) == "<a\n");
  }
  CHECK(answer(outbox, "n") == "l");
  CHECK(leave(outbox) == "later\n");
  CHECK(answer(outbox, "n").empty());
  CHECK(outbox.left() == outbox.pushed());
}

TEST_CASE("outbox: a NACK ends a handle that is not resendable") {
  Outbox outbox;
  push_handles(outbox, "a");
  CHECK(leave(outbox) == "<a\n");
  CHECK(answer(outbox, "n") == "l");
  CHECK(outbox.is_idle());
}

TEST_CASE("outbox: what was refused is repeated alone, after those under way and before the rest") {
  Outbox outbox;
  push_handles(outbox, "abc", true);
  CHECK(leave(outbox) == "<a\n<b\n<c\n");
  push_handles(outbox, "d", true);
  outbox.push("plain\n");
  CHECK(leave(outbox) == "<d\n");
  push_handles(outbox, "e");
  CHECK(answer(outbox, "ny").empty());  // b is done, but not before a
  CHECK(leave(outbox).empty());
  CHECK(answer(outbox, "ny").empty());
  CHECK(leave(outbox) == "<a\n");  // c waits for its answer
  CHECK(outbox.left() == 0);
  CHECK(answer(outbox, "y") == "tt");
  CHECK(outbox.left() == 4);
  CHECK(leave(outbox) == "<c\n");
  CHECK(answer(outbox, "n").empty());
  CHECK(leave(outbox) == "<c\n");
  CHECK(answer(outbox, "n").empty());
  CHECK(leave(outbox) == "<c\n");
  CHECK(answer(outbox, "n") == "lt");
  CHECK(leave(outbox) == "plain\n<e\n");
  CHECK(answer(outbox, "y") == "t");
  CHECK(outbox.is_idle());
  CHECK(outbox.left() == outbox.pushed());
}

TEST_CASE("outbox: a refusal within the next handle's line lets that one be finished first") {
  Outbox outbox;
  push_handles(outbox, "a", true);
  CHECK(leave(outbox) == "<a\n");
  outbox.push_handle("next\n", any_descriptor(), false);
  outbox.wrote(2);
  CHECK(answer(outbox, "n").empty());
  CHECK(leave(outbox) == "xt\n");
  CHECK(answer(outbox, "y").empty());
  CHECK(leave(outbox) == "<a\n");
  CHECK(answer(outbox, "y") == "tt");
}

TEST_CASE("outbox: what waits for an ACK is counted, what waits for the socket is not") {
  Outbox outbox;
  CHECK_FALSE(outbox.waiting_behind_handle().has_value());
  outbox.push("plain\n");
  push_handles(outbox, "ab");
  outbox.push("1\n");
  outbox.push("2\n");
  CHECK(leave(outbox) == "plain\n<a\n<b\n");
  CHECK(outbox.waiting_behind_handle() == 2);
  push_handles(outbox, "c");
  CHECK(answer(outbox, "y") == "t");
  CHECK(outbox.waiting_behind_handle() == 3);
  CHECK(answer(outbox, "y") == "t");
  CHECK(leave(outbox) == "1\n2\n<c\n");
  CHECK(outbox.waiting_behind_handle() == 0);
  outbox.push("3\n");
  CHECK(outbox.waiting_behind_handle() == 1);
  CHECK(answer(outbox, "y") == "t");
  CHECK_FALSE(outbox.waiting_behind_handle().has_value());
  push_handles(outbox, "d");
  CHECK(outbox.waiting_behind_handle() == 0);
}

TEST_CASE("outbox: when the kernel takes no descriptor, the next waits for what is under way") {
  Outbox outbox;
  push_handles(outbox, "abc");
  CHECK_FALSE(outbox.hold_handles());
  CHECK(outbox.next().has_value());  // nobody's answer would go on
  outbox.wrote(2);
  outbox.wrote(2);
  CHECK(outbox.hold_handles());
  CHECK(leave(outbox).empty());
  CHECK(answer(outbox, "y") == "t");
  CHECK(leave(outbox).empty());
  CHECK(answer(outbox, "y") == "t");
  CHECK(leave(outbox) == "<c\n");
}

TEST_CASE("outbox: an ACK that nobody waits for changes nothing") {
  Outbox outbox;
  outbox.push("one\n");
  CHECK(answer(outbox, "yn").empty());
  CHECK(leave(outbox) == "one\n");
  push_handles(outbox, "a", true);
  outbox.wrote(1);
  CHECK(answer(outbox, "yn").empty());
  CHECK(leave(outbox) == "\n");
  CHECK(answer(outbox, "yyn") == "t");
  CHECK(outbox.is_idle());
}

TEST_CASE("outbox: unread acknowledgements are bounded") {
  Outbox outbox;
  int accepted = 0;
  while (accepted < 100000 && outbox.push_control("ACK\n")) ++accepted;
  CHECK(accepted == 16384);
}

TEST_CASE("outbox: small lines leave in one chunk") {
  Outbox outbox;
  for (int i = 0; i < 100; ++i) outbox.push("12345678\n");
  REQUIRE(outbox.next().has_value());
  CHECK(outbox.next()->bytes.size() == 900);
}

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

}  // namespace

TEST_CASE(
    "outbox: everything waits behind a handle that is not acknowledged, and keeps its order") {
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
    outbox.acknowledged();
    CHECK(leave(outbox, step) == "two\n<second\n");
    outbox.acknowledged();
    CHECK(leave(outbox, step) == "three\n");
    CHECK(outbox.queued() == 0);
    CHECK(outbox.is_idle());
  }
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
  outbox.acknowledged();
  CHECK(leave(outbox) == "CK\nlater\n");
}

TEST_CASE("outbox: a NACK sends a resendable handle three times more, before what waits") {
  Outbox outbox;
  outbox.push_handle("handle\n", any_descriptor(), true);
  outbox.push("later\n");
  CHECK(leave(outbox) == "<handle\n");
  for (int i = 0; i < 3; ++i) {
    CHECK(outbox.refused() == Outbox::Nacked::will_resend);
    CHECK(leave(outbox) == "<handle\n");
  }
  CHECK(outbox.refused() == Outbox::Nacked::lost);
  CHECK(leave(outbox) == "later\n");
  CHECK(outbox.refused() == Outbox::Nacked::nothing);
}

TEST_CASE("outbox: a NACK ends a handle that is not resendable") {
  Outbox outbox;
  outbox.push_handle("handle\n", any_descriptor(), false);
  CHECK(leave(outbox) == "<handle\n");
  CHECK(outbox.refused() == Outbox::Nacked::lost);
  CHECK(outbox.is_idle());
}

TEST_CASE("outbox: an ACK that nobody waits for changes nothing") {
  Outbox outbox;
  outbox.push("one\n");
  outbox.acknowledged();
  CHECK(leave(outbox) == "one\n");
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

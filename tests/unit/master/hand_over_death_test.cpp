// SPDX-License-Identifier: Apache-2.0
// What becomes of a connection whose worker has not answered for it: requeued, kept or closed.
#include "tests/unit/master/hand_over_rig.h"

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

/// A connection that worker 1 has in hand, and a second worker.
struct InHand : HandOverRig {
  InHand() {
    add(1);
    add(2);
    connect();
    REQUIRE(wait_asked(1, 1));
  }
  UniqueFd& client() { return clients.front(); }
  UniqueFd& in_hand() { return (*this)[1].unanswered.front().socket; }
  bool second_serves(std::string_view request) {
    if ((*this)[2].asked != 1) return false;
    (*this)[2].reply(true);
    auto& socket = (*this)[2].taken.front();
    if (read_from(socket) != request) return false;
    write_to(socket, "answer");
    return read_from(client()) == "answer";
  }
};

}  // namespace

TEST_CASE("hand over death: a connection that its worker has not begun with goes to another") {
  InHand rig;
  SUBCASE("the request is there") { write_to(rig.client(), "request"); }
  SUBCASE("the client has sent its last byte") {
    write_to(rig.client(), "request");
    ::shutdown(rig.client().get(), SHUT_WR);
  }
  SUBCASE("the request is yet to come") {
    rig.die(1);
    write_to(rig.client(), "request");
  }
  if (rig.workers.contains(1)) rig.die(1);
  CHECK(rig.totals.recovered == 1);
  CHECK(rig.second_serves("request"));
}

TEST_CASE(
    "hand over death: one that it has begun with is closed, so that the client learns of it") {
  InHand rig;
  write_to(rig.client(), "request");
  std::string expected;
  SUBCASE("it has read the request") { CHECK(read_from(rig.in_hand()) == "request"); }
  SUBCASE("it has read a part of it") {
    char c = 0;
    CHECK(::recv(rig.in_hand().get(), &c, 1, 0) == 1);
    expected = "ECONNRESET";
  }
  SUBCASE("it has answered") {
    write_to(rig.in_hand(), "begun");
    CHECK(read_from(rig.client()) == "begun");
    expected = "ECONNRESET";
  }
  SUBCASE("it has shut it down") { ::shutdown(rig.in_hand().get(), SHUT_WR); }
  rig.die(1);
  CHECK(read_from(rig.client()) == expected);
  CHECK(rig[2].asked == 0);
  CHECK(rig.totals.given_up == 1);
  CHECK(rig.totals.recovered == 0);
  CHECK(rig.server->waiting() == 0);
}

TEST_CASE("hand over death: a worker that leaves alive keeps what it has in hand") {
  InHand rig;
  rig[1].member.set_leaving();
  rig.server->leave(rig[1].member, false);
  CHECK(rig.server->members() == 1);
  rig.settle();
  CHECK(rig[2].asked == 0);
  CHECK(rig.server->waiting() == 1);
  SUBCASE("it answers") {
    rig[1].reply(true);
    CHECK(rig.server->waiting() == 0);
    CHECK(rig.totals.handed_over == 1);
    rig.server->leave(rig[1].member, true);
  }
  SUBCASE("it refuses") {
    rig[1].reply(false);
    CHECK(rig[2].asked == 1);
  }
  SUBCASE("it dies") {
    rig.die(1);
    CHECK(rig[2].asked == 1);
    CHECK(rig.totals.recovered == 1);
  }
  SUBCASE("it comes back") {
    rig.server->joined(rig[1].member);
    CHECK(rig.server->members() == 2);
    rig[1].reply(true);
    CHECK(rig.server->waiting() == 0);
  }
}

TEST_CASE("hand over death: a suspect gets nothing new, and keeps what it has") {
  InHand rig;
  rig[1].member.set_suspect(true);
  rig.server->suspicion_changed(rig[1].member);
  rig.settle();
  CHECK(rig[2].asked == 0);
  rig[1].reply(true);
  for (int i = 1; i <= 3; ++i) {
    rig.connect();
    REQUIRE(rig.wait_asked(2, i));
    rig[2].reply(true);
  }
  CHECK(rig[1].asked == 1);
  rig[2].member.set_suspect(true);
  rig.server->suspicion_changed(rig[2].member);
  rig.connect();
  rig.settle();
  CHECK(rig.server->waiting() == 0);  // with the kernel
  rig[1].member.set_suspect(false);
  rig.server->suspicion_changed(rig[1].member);
  CHECK(rig.wait_asked(1, 2));
}

TEST_CASE("hand over death: the last worker's connection waits for the next one") {
  InHand rig;
  rig.server->leave(rig[2].member, false);
  write_to(rig.client(), "request");
  rig.die(1);
  CHECK(rig.server->waiting() == 1);
  rig.workers.erase(2);
  rig.add(2);
  CHECK(rig.second_serves("request"));
}

TEST_CASE("hand over death: a late answer of somebody who was gone changes nothing") {
  InHand rig;
  rig.server->leave(rig[1].member, true);
  CHECK(rig[2].asked == 1);
  rig[1].reply(true);
  CHECK(rig.totals.handed_over == 0);
  CHECK(rig.server->waiting() == 1);
}

TEST_CASE("hand over death: of a unix socket what can be told is told") {
  HandOverRig rig;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "pronghorn-hand-over-" + std::to_string(::getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());  // abstract: no file
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  rig.server.reset();
  rig.listener.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(rig.listener.get(), generic, size) == 0);
  REQUIRE(::listen(rig.listener.get(), 5) == 0);
  rig.open(master::make_sticky(master::make_round_robin()));
  rig.add(1);
  rig.add(2);
  UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(client.get(), generic, size) == 0);
  write_to(client, "request");
  REQUIRE(rig.wait_asked(1, 1));
  SUBCASE("not begun: another one serves it") {
    rig.die(1);
    REQUIRE(rig[2].asked == 1);
    CHECK(read_from(rig[2].unanswered.front().socket) == "request");
  }
  SUBCASE("what had come before is read: closed") {
    CHECK(read_from(rig[1].unanswered.front().socket) == "request");
    rig.die(1);
    CHECK(rig[2].asked == 0);
    CHECK(read_from(client).empty());
  }
  SUBCASE("an answer waits for the client: closed after it") {
    write_to(rig[1].unanswered.front().socket, "begun");
    rig.die(1);
    CHECK(rig[2].asked == 0);
    CHECK(read_from(client) == "begun");
  }
}

TEST_CASE(
    "hand over death: it may be destroyed with everything in hand, and late answers ignored") {
  InHand rig;
  rig.connect();
  REQUIRE(rig.wait_asked(2, 1));
  rig[2].reply(false);
  const auto descriptors = open_descriptors();
  rig.server.reset();
  CHECK(open_descriptors() == descriptors - 2);  // the duplicates are the workers'
  rig[1].reply(true);
  rig.settle();
}

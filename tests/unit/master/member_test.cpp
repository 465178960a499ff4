// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/member.h"

#include <doctest/doctest.h>

using namespace pronghorn;
using master::Member;

TEST_CASE("member: a reply goes once to whom it answers, and any other to nobody") {
  std::int64_t seq = 5;
  std::vector<std::string> sent;
  Member member(1, {}, seq, [&](const ipc::InternalMessage& m, const ipc::Handle*) -> Result<bool> {
    sent.push_back(m.text());
    return true;
  });
  std::vector<bool> accepted;
  auto note = [&](const ipc::ClusterMessage& m) { accepted.push_back(m.accepted.value_or(false)); };
  for (int i = 0; i < 2; ++i) {
    auto asked = member.take_seq();
    REQUIRE(member.ask(asked, ipc::encode_new_connection("k", asked), nullptr, note));
  }
  CHECK(sent.size() == 2);
  CHECK(seq == 7);
  member.take_reply({.ack = 6, .accepted = true});
  member.take_reply({.ack = 6, .accepted = true});
  member.take_reply({.ack = 99, .accepted = true});
  member.take_reply({.accepted = true});
  member.take_reply({.ack = 5, .accepted = false});
  CHECK(accepted == std::vector{true, false});
}

TEST_CASE("member: what could not be sent is answered by nobody") {
  std::int64_t seq = 0;
  Member member(1, {}, seq, [](const auto&, const auto*) -> Result<bool> {
    return std::unexpected(Error(Errc::ipc_channel_closed, "closed"));
  });
  bool called = false;
  auto asked = member.ask(0, ipc::encode_new_connection("k", 0), nullptr,
                          [&](const ipc::ClusterMessage&) { called = true; });
  CHECK(!asked.has_value());
  member.take_reply({.ack = 0, .accepted = true});
  CHECK(!called);
}

TEST_CASE("member: what a reply calls may ask again, and end the member") {
  std::int64_t seq = 0;
  auto send = [](const auto&, const auto*) -> Result<bool> { return true; };
  auto member = std::make_unique<Member>(1, std::nullopt, seq, send);
  auto last = [&](const ipc::ClusterMessage&) { member.reset(); };
  auto first = [&](const ipc::ClusterMessage&) {
    auto again = member->ask(1, ipc::encode_new_connection("k", 1), nullptr, last);
    CHECK(again.has_value());
  };
  REQUIRE(member->ask(0, ipc::encode_new_connection("k", 0), nullptr, first));
  member->take_reply({.ack = 0});
  REQUIRE(member);
  member->take_reply({.ack = 1});
  CHECK(!member);
}

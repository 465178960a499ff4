// SPDX-License-Identifier: Apache-2.0
#include "worker/listen_requests.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace pronghorn;
using worker::ListenRequests;

namespace {
config::ListenAddress tcp(std::string host, std::uint16_t port) {
  return {.host = std::move(host), .port = port, .path = {}};
}
ipc::ClusterMessage reply(std::int64_t ack, std::int64_t error = 0) {
  ipc::ClusterMessage m;
  m.ack = ack;
  m.error = error;
  return m;
}
}  // namespace

TEST_CASE("listen requests: each listener asks as Node's net.Server does") {
  ListenRequests requests(
      {tcp("127.0.0.1", 80), tcp("::1", 80), {.host = {}, .port = 0, .path = "/run/x.sock"}}, 511);
  std::int64_t seq = 1;
  auto queries = requests.queries(seq);
  REQUIRE(queries.size() == 3);
  CHECK(seq == 4);
  CHECK(queries[0].address == "127.0.0.1");
  CHECK(queries[0].address_type == AddressType::ipv4);
  CHECK(queries[0].backlog == 511);
  CHECK(queries[1].address_type == AddressType::ipv6);
  CHECK(queries[2].address == "/run/x.sock");
  CHECK(queries[2].port == -1);
  CHECK(queries[2].address_type == AddressType::unix_socket);
}

TEST_CASE("listen requests: equal listeners are told apart by their index") {
  ListenRequests requests({tcp("127.0.0.1", 0), tcp("127.0.0.1", 0), tcp("127.0.0.1", 1)}, 1);
  std::int64_t seq = 0;
  auto queries = requests.queries(seq);
  CHECK(queries[0].index == 0);
  CHECK(queries[1].index == 1);
  CHECK(queries[2].index == 0);
}

TEST_CASE("listen requests: done when every query has its descriptor") {
  ListenRequests requests({tcp("127.0.0.1", 1), tcp("127.0.0.1", 2)}, 1);
  std::int64_t seq = 7;
  requests.queries(seq);
  auto second = requests.take_reply(reply(8), true);
  REQUIRE(second);
  CHECK(second->act == "listening");
  CHECK(second->port == 2);
  CHECK_FALSE(requests.all_answered());
  CHECK_FALSE(requests.take_reply(reply(8), true));  // answered already
  CHECK(requests.take_reply(reply(7), true));
  CHECK(requests.all_answered());
}

TEST_CASE("listen requests: a refusal names the address and the reason") {
  ListenRequests requests({tcp("127.0.0.1", 80)}, 1);
  std::int64_t seq = 0;
  requests.queries(seq);
  auto refused = requests.take_reply(reply(0, -EACCES), false);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() == "cannot listen on 127.0.0.1:80: permission denied");
  auto round_robin = requests.take_reply(reply(0), false);
  REQUIRE_FALSE(round_robin);
  CHECK(round_robin.error().message().contains("round robin"));
}

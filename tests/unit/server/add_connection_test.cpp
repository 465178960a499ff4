// SPDX-License-Identifier: Apache-2.0
// Connections that somebody else accepted.
#include <pronghorn/base/counters.h>

#include "listen_support.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <optional>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

/// Accepts as a primary would: blocking sockets with Nagle's delay.
struct Acceptor {
  UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  Address address = loopback(0);

  Acceptor() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof any;
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&any), size) == 0);
    REQUIRE(::listen(socket.get(), 100) == 0);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&any), &size);
    address.port = ntohs(any.sin_port);
  }
  std::pair<UniqueFd, UniqueFd> pair() {
    UniqueFd client = connect_to(address);
    return {std::move(client), UniqueFd(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC))};
  }
};

struct Fixture {
  Loop loop;
  WorkerCounters counters;
  std::optional<Server> server;
  Acceptor acceptor;
  int requests = 0;

  explicit Fixture(std::uint64_t max_connections = 100) {
    Server::Options options;
    options.max_connections = max_connections;
    server.emplace(loop, Router(), options, &counters);
    server->get("/", [this](const Request& q) {
      ++requests;
      return Response::text(std::string(q.peer()));
    });
  }
};

}  // namespace

TEST_CASE("add_connection: it is like one that the server accepted") {
  Fixture f;
  auto [client, accepted] = f.acceptor.pair();
  int fd = accepted.get();
  SUBCASE("answered at once, though its socket blocks") {
    send_request(client.get());
    CHECK(f.server->add_connection(std::move(accepted)));
  }
  SUBCASE("without delay, and not blocking, when it has to wait for its request") {
    CHECK(f.server->add_connection(std::move(accepted)));
    for (int i = 0; i < 3; ++i) uv_run(f.loop.native(), UV_RUN_NOWAIT);
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    CHECK(no_delay != 0);
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    send_request(client.get());
  }
  CHECK(answer(f.loop, client.get()) == "127.0.0.1");
  CHECK(f.counters.accepted.get() == 1);
  CHECK(f.counters.requests.get() == 1);
  CHECK(f.counters.connections.get() == 0);
}

TEST_CASE("add_connection: it is counted at once, and read from the loop only") {
  Fixture f;
  auto [client, accepted] = f.acceptor.pair();
  send_request(client.get());
  CHECK(f.server->add_connection(std::move(accepted)));
  CHECK(f.counters.connections.get() == 1);
  CHECK(f.counters.accepted.get() == 1);
  CHECK(f.server->connections() == 1);
  CHECK(f.requests == 0);
  answer(f.loop, client.get());
  CHECK(f.requests == 1);
}

TEST_CASE("add_connection: a full server refuses, and takes again when one has gone") {
  Fixture f(2);
  std::vector<std::pair<UniqueFd, UniqueFd>> pairs;
  for (int i = 0; i < 4; ++i) pairs.push_back(f.acceptor.pair());
  CHECK(f.server->add_connection(std::move(pairs[0].second)));
  CHECK(f.server->add_connection(std::move(pairs[1].second)));
  UniqueFd kept(::dup(pairs[2].second.get()));
  CHECK_FALSE(f.server->add_connection(std::move(pairs[2].second)));
  CHECK(f.counters.accepted.get() == 2);
  pairs[0].first.reset();
  REQUIRE(run_until(f.loop, [&] { return f.server->connections() == 1; }));
  CHECK(f.server->add_connection(std::move(kept)));  // nothing of it was read or closed
  send_request(pairs[2].first.get());
  CHECK(answer(f.loop, pairs[2].first.get()) == "127.0.0.1");
}

TEST_CASE("add_connection: a server that closes refuses; one that says close goes on") {
  Fixture f;
  auto [client, accepted] = f.acceptor.pair();
  f.server->begin_drain();
  CHECK(f.server->add_connection(std::move(accepted)));
  send_request(client.get());
  CHECK(answer(f.loop, client.get()) == "127.0.0.1");
  int closed = 0;
  f.server->close([&] { ++closed; });
  auto [late, refused] = f.acceptor.pair();
  CHECK_FALSE(f.server->add_connection(std::move(refused)));
  CHECK(run_until(f.loop, [&] { return closed == 1; }));
}

TEST_CASE("add_connection: a client that has gone, and a server that goes before it has read") {
  Fixture f;
  auto [client, accepted] = f.acceptor.pair();
  linger now{1, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  client.reset();
  CHECK(f.server->add_connection(std::move(accepted)));
  CHECK(run_until(f.loop, [&] { return f.server->connections() == 0; }));

  auto [second, unread] = f.acceptor.pair();
  send_request(second.get());
  CHECK(f.server->add_connection(std::move(unread)));
  SUBCASE("cut") { f.server->close_connections(); }
  SUBCASE("destroyed") { f.server.reset(); }
  CHECK(answer(f.loop, second.get()).empty());
  CHECK(f.requests == 0);
  CHECK(f.counters.connections.get() == 0);
}

TEST_CASE("add_connection: a unix socket's connection") {
  Fixture f;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd client(ends[0]);
  CHECK(f.server->add_connection(UniqueFd(ends[1])));
  send_request(client.get());
  CHECK(answer(f.loop, client.get()) == "unix");
}

// SPDX-License-Identifier: Apache-2.0
// Servers whose listen() asks a primary: a bare socket that speaks a Node primary's bytes.
#include "primary_listen_support.h"

#include <optional>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("primary listen: a socket that is only bound is listened on") {
  Pair p;
  Listened s(p.loop);
  REQUIRE(s.server.listen("127.0.0.1:0"));
  std::uint16_t port = 0;
  UniqueFd bound = bound_socket(0, &port);
  auto query = p.hear("act", "queryServer");
  CHECK(query["address"] == "127.0.0.1");
  CHECK(query["port"] == 0);
  p.grant_shared(query["seq"], bound.get());
  auto listening = p.hear("act", "listening");
  CHECK(listening["port"] == port);
  CHECK(s.addresses == std::vector<Address>{loopback(port)});
  CHECK(s.server.address() == loopback(port));
  CHECK(ask(p.loop, loopback(port)) == "hello");
  CHECK(s.closes());
  CHECK(p.hear("act", "close")["key"] == "K");
}

TEST_CASE("primary listen: the backlog of a socket that listens already is left alone") {
  Pair p;
  Listened s(p.loop);
  REQUIRE(s.server.listen("127.0.0.1:0", {.backlog = 7}));
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(33, &port);
  auto query = p.hear("act", "queryServer");
  CHECK(query["backlog"] == 7);
  p.grant_shared(query["seq"], listener.get());
  p.hear("act", "listening");
  tcp_info info{};
  socklen_t size = sizeof info;
  REQUIRE(::getsockopt(listener.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
  CHECK(info.tcpi_sacked == 33);
}

TEST_CASE("primary listen: connections that are handed over are acknowledged, and then read") {
  Pair p;
  Listened s(p.loop);
  std::size_t requests = 0;
  s.server.get("/acknowledged", [&](const Request&) {
    p.read();
    auto accepted = std::ranges::count_if(p.said, [](auto& j) { return j.contains("accepted"); });
    // A primary that has no answer yet would give it to another worker if this one died by it.
    CHECK(static_cast<std::size_t>(accepted) >= ++requests);
    return Response::text("");
  });
  REQUIRE(s.server.listen("127.0.0.1:4321"));
  p.grant_handing(p.hear_query());
  p.hear("act", "listening");
  CHECK(s.addresses == std::vector<Address>{loopback(4321)});
  std::vector<Connection> connections;
  for (int i = 0; i < 3; ++i) {  // also when several come at once
    Connection& c = connections.emplace_back(connection());
    send_request(c.client.get(), "/acknowledged");
    p.write_with(ipc::encode_new_connection("K", i), c.accepted.get());
    c.accepted.reset();
  }
  for (Connection& c : connections) answer(p.loop, c.client.get());
  CHECK(requests == 3);
  for (int i = 0; i < 3; ++i) CHECK(p.hear("ack", i)["accepted"] == true);
  CHECK(s.closes());
  Connection late = connection();
  p.write_with(ipc::encode_new_connection("K", 6), late.accepted.get());
  CHECK(p.hear("ack", 6)["accepted"] == false);
}

TEST_CASE("primary listen: a server whose connections are handed over keeps the loop running") {
  Pair p;
  Listened s(p.loop);
  uv::Timer later(p.loop, [&] { s.close(); });
  REQUIRE(s.server.listen("127.0.0.1:1"));
  p.grant_handing(p.hear_query());
  p.hear("act", "listening");
  later.start(Millis(30));
  later.unref();
  p.loop.run();
  CHECK(s.closed == 1);
}

TEST_CASE("primary listen: the primary's refusal is the server's error, in Node's words") {
  Pair p;
  Listened s(p.loop);
  REQUIRE(s.server.listen("127.0.0.1:80"));
  p.refuse(p.hear_query(), EADDRINUSE);
  REQUIRE(run_until(p.loop, [&] { return !s.errors.empty(); }));
  CHECK(s.errors[0].message() == "bind EADDRINUSE 127.0.0.1:80");
  CHECK(s.errors[0].name() == "EADDRINUSE");
  CHECK_FALSE(p.heard("listening"));
  REQUIRE(s.server.listen("127.0.0.1:80"));
  auto again = p.hear("act", "queryServer");
  CHECK(again["index"] == 0);
  p.grant_handing(again["seq"]);
  p.hear("act", "listening");
}

TEST_CASE("primary listen: a conflict that only listen(2) shows is the server's error, too") {
  // As Node's primary binds with SO_REUSEADDR: two sockets on one port, until both listen.
  std::uint16_t port = 0;
  auto reusable = [&] {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return fd;
  };
  UniqueFd first = reusable(), second = reusable();
  REQUIRE(::listen(first.get(), 5) == 0);
  Pair p;
  Listened s(p.loop);
  REQUIRE(s.server.listen("127.0.0.1:" + std::to_string(port)));
  p.grant_shared(p.hear_query(), second.get());
  REQUIRE(run_until(p.loop, [&] { return !s.errors.empty(); }));
  CHECK(s.errors[0].message() ==
        "listen EADDRINUSE: address already in use 127.0.0.1:" + std::to_string(port));
  CHECK(p.hear("act", "close")["key"] == "K");
}

TEST_CASE("primary listen: a socket that the primary could not bind is EADDRINUSE, not any port") {
  Pair p;
  Listened s(p.loop);
  REQUIRE(s.server.listen("127.0.0.1:4321"));
  UniqueFd unbound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  p.grant_shared(p.hear_query(), unbound.get());
  REQUIRE(run_until(p.loop, [&] { return !s.errors.empty(); }));
  CHECK(s.errors[0].message() == "bind EADDRINUSE 127.0.0.1:4321");
  CHECK(p.hear("act", "close")["key"] == "K");
}

TEST_CASE("primary listen: what is asked for: any address, IPv6, a name, a unix path") {
  Pair p;
  Listened s(p.loop);
  auto query = [&](const char* address, const Server::ListenOptions& options = {}) {
    REQUIRE(s.server.listen(address, options));
    return p.hear("act", "queryServer");
  };
  auto any = query(":8000");
  CHECK(any["address"].is_null());
  CHECK(any["addressType"] == 4);
  CHECK(any["port"] == 8000);
  auto six = query("[::1]:8000", {.ipv6_only = true});
  CHECK(six["address"] == "::1");
  CHECK(six["addressType"] == 6);
  CHECK(six["flags"] == 1);
  auto any_six = query(":8000", {.ipv6_only = true});
  CHECK(any_six["address"] == "::");
  CHECK(any_six["addressType"] == 6);
  auto name = query("localhost:8000");
  CHECK((name["address"] == "127.0.0.1" || name["address"] == "::1"));
  auto file = query("unix:some.sock", {.readable_all = true});
  CHECK(file["address"] == (std::filesystem::current_path() / "some.sock").string());
  CHECK(file["port"] == -1);
  CHECK(file["addressType"] == -1);
  CHECK(file["readableAll"] == true);
  CHECK_FALSE(file.contains("writableAll"));
  p.grant_handing(file["seq"], "F");
  p.hear("act", "listening");
  CHECK(s.addresses == std::vector<Address>{
                           {"some.sock", 0, AddressType::unix_socket, {}}});  // as it was asked for
}

TEST_CASE("primary listen: exclusive asks nobody") {
  Pair p;
  Listened s(p.loop);
  const Address at = s.listen("127.0.0.1:0", {.exclusive = true});
  CHECK(ask(p.loop, at) == "hello");
  p.read();
  CHECK(p.said.empty());
  CHECK(s.closes());
  p.read();
  CHECK(p.said.empty());
}

TEST_CASE("primary listen: a server that goes while its grant is under way gives it back") {
  Pair p;
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(5, &port);
  std::optional<Listened> s(std::in_place, p.loop);
  REQUIRE(s->server.listen("127.0.0.1:0"));
  auto seq = p.hear_query();
  SUBCASE("closed") {
    s->server.close();
    p.grant_shared(seq, listener.get());
    CHECK(p.hear("act", "close")["key"] == "K");
    CHECK(s->addresses.empty());
  }
  SUBCASE("destroyed") {
    s.reset();
    p.grant_shared(seq, listener.get());
    CHECK(p.hear("act", "close")["key"] == "K");
  }
  SUBCASE("destroyed, with a newconn behind the grant") {
    s.reset();
    p.grant_handing(seq);
    Connection c = connection();
    p.write_with(ipc::encode_new_connection("K", 9), c.accepted.get());
    CHECK(p.hear("act", "close")["key"] == "K");
    CHECK(p.hear("ack", 9)["accepted"] == false);
  }
  CHECK_FALSE(p.heard("listening"));
}

TEST_CASE("primary listen: its callbacks may destroy the server") {
  Pair p;
  std::optional<Server> server(std::in_place, p.loop);
  SUBCASE("on_listening") {
    server->on_listening([&](const Address&) { server.reset(); });
    REQUIRE(server->listen("127.0.0.1:1"));
    p.grant_handing(p.hear_query());
    p.hear("act", "close");
  }
  SUBCASE("on_error") {
    server->on_error([&](const Error&) { server.reset(); });
    REQUIRE(server->listen("127.0.0.1:1"));
    p.refuse(p.hear_query(), EACCES);
    REQUIRE(run_until(p.loop, [&] { return !server; }));
  }
  CHECK_FALSE(server);
}

TEST_CASE("primary listen: asked to leave, the servers finish what they have and then it is told") {
  Pair p;
  Listened shared(p.loop), handed(p.loop), waiting(p.loop);
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(5, &port);
  REQUIRE(shared.server.listen("127.0.0.1:0"));
  p.grant_shared(p.hear_query(), listener.get(), "S");
  REQUIRE(handed.server.listen("127.0.0.1:4321"));
  p.grant_handing(p.hear_query(), "H");
  p.hear("act", "listening");
  p.hear("act", "listening");
  REQUIRE(waiting.server.listen("127.0.0.1:1"));
  auto late = p.hear_query();
  Connection c = connection();
  p.write_with(ipc::encode_new_connection("H", 1), c.accepted.get());
  c.accepted.reset();
  CHECK(p.hear("ack", 1)["accepted"] == true);
  const std::string_view half = "GET / HTTP/1.1\r\n";
  ::send(c.client.get(), half.data(), half.size(), MSG_NOSIGNAL);
  turn(p.loop);

  int closed = 0;
  p.listen->close_all([&] { ++closed; });
  p.listen->close_all([&] { ++closed; });
  CHECK(p.hear("act", "close").contains("key"));
  CHECK(p.hear("act", "close").contains("key"));
  Connection refused = connection();
  p.write_with(ipc::encode_new_connection("H", 2), refused.accepted.get());
  CHECK(p.hear("ack", 2)["accepted"] == false);
  p.grant_handing(late, "W");
  CHECK(p.hear("act", "close")["key"] == "W");
  Listened too_late(p.loop);
  too_late.listen("127.0.0.1:0");
  REQUIRE(too_late.errors.size() == 1);
  CHECK(too_late.errors[0].code() == Errc::ipc_disconnected);
  turn(p.loop);
  CHECK(closed == 0);
  ::send(c.client.get(), "Host: x\r\n\r\n", 11, MSG_NOSIGNAL);
  CHECK(answer(p.loop, c.client.get()) == "hello");
  CHECK(run_until(p.loop, [&] { return closed == 2; }));
}

TEST_CASE("primary listen: a request of one server's last ones may destroy another server") {
  Pair p;
  Listened first(p.loop);
  std::optional<Listened> second(std::in_place, p.loop);
  first.server.get("/end", [&](const Request&) {
    second.reset();
    return Response::text("ended");
  });
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(5, &port), other = bound_socket(5);
  REQUIRE(first.server.listen("127.0.0.1:0"));
  p.grant_shared(p.hear_query(), listener.get(), "A");
  p.hear("act", "listening");
  REQUIRE(second->server.listen("127.0.0.1:0"));
  p.grant_shared(p.hear_query(), other.get(), "B");
  p.hear("act", "listening");
  UniqueFd client = connect_to(loopback(port));
  send_request(client.get(), "/end");
  int closed = 0;
  p.listen->close_all([&] { ++closed; });
  CHECK_FALSE(second);
  CHECK(answer(p.loop, client.get()) == "ended");
  CHECK(run_until(p.loop, [&] { return closed == 1; }));
}

TEST_CASE("primary listen: leaving without servers is told from the loop; a server may just go") {
  Pair p;
  int closed = 0;
  SUBCASE("none") {
    p.listen->close_all([&] { ++closed; });
  }
  SUBCASE("destroyed while it closes") {
    std::optional<Listened> s(std::in_place, p.loop);
    REQUIRE(s->server.listen("127.0.0.1:0"));
    p.listen->close_all([&] { ++closed; });
    s.reset();
  }
  CHECK(closed == 0);
  CHECK(run_until(p.loop, [&] { return closed == 1; }));
}

TEST_CASE("primary listen: a source that goes first leaves its servers what they have") {
  Pair p;
  Listened s(p.loop);
  std::uint16_t port = 0;
  UniqueFd listener = bound_socket(5, &port);
  REQUIRE(s.server.listen("127.0.0.1:0"));
  p.grant_shared(p.hear_query(), listener.get());
  p.hear("act", "listening");
  int told = 0;
  p.listen->close_all([&] { ++told; });
  p.listen.reset();
  CHECK(p.hear("act", "close")["key"] == "K");
  REQUIRE(run_until(p.loop, [&] { return s.server.connections() == 0; }));
  turn(p.loop);
  CHECK(told == 0);
  Listened alone(p.loop);
  CHECK(ask(p.loop, alone.listen("127.0.0.1:0")) == "hello");
}

TEST_CASE("primary listen: a channel that has ended refuses at once, from the loop") {
  Pair p;
  p.channel.reset();
  Listened s(p.loop);
  s.listen("127.0.0.1:0");
  REQUIRE(s.errors.size() == 1);
  CHECK(s.errors[0].code() == Errc::ipc_disconnected);
}

TEST_CASE("primary listen: a lent socket is accepted from until it is called back") {
  Pair p;
  Listened s(p.loop);
  std::uint16_t own = 0, other = 0;
  UniqueFd mine = bound_socket(5, &own), lent = bound_socket(5, &other);
  REQUIRE(s.server.listen("127.0.0.1:0"));
  p.grant_shared(p.hear_query(), mine.get());
  p.hear("act", "listening");
  p.write_with(ipc::encode_lend("K", 0), lent.get());
  CHECK(ask(p.loop, loopback(other)) == "hello");
  UniqueFd kept = connect_to(loopback(other));
  REQUIRE(run_until(p.loop, [&] { return s.server.connections() == 1; }));
  p.write(ipc::encode_unlend("K", 0));
  p.write(ipc::encode_lend("unknown", 0));
  UniqueFd queued = connect_to(loopback(other));
  send_request(queued.get());
  CHECK(ask(p.loop, loopback(own)) == "hello");  // meanwhile the unlend has come
  turn(p.loop);
  char c = 0;
  CHECK(::recv(queued.get(), &c, 1, MSG_DONTWAIT) < 0);  // it waits for whose socket it is
  UniqueFd back(::accept4(lent.get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(back);
  send_request(kept.get());
  CHECK(answer(p.loop, kept.get()) == "hello");
  CHECK(s.closes());
}

// SPDX-License-Identifier: Apache-2.0
// A server that listens by itself.
#include "listen_support.h"

#include <csignal>
#include <netinet/tcp.h>
#include <optional>
#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::test;

TEST_CASE("listen: a server alone says where it listens, and answers there") {
  Loop loop;
  Listened s(loop);
  CHECK_FALSE(s.server.address());
  const Address at = s.listen("127.0.0.1:0");
  CHECK(at.address == "127.0.0.1");
  CHECK(at.type == AddressType::ipv4);
  CHECK(at.port != 0);
  CHECK(s.server.address() == at);
  CHECK(ask(loop, at) == "hello");
  CHECK(ask(loop, at, "/peer") == "127.0.0.1");
  CHECK(s.closes());
  CHECK_FALSE(s.server.address());
  CHECK(ask(loop, at).starts_with("refused"));
}

TEST_CASE("listen: what becomes of it comes from the loop, and before any request") {
  Loop loop;
  Server server(loop);
  std::vector<std::string> events;
  server.get("/", [&](const Request&) {
    events.emplace_back("request");
    return Response::text("");
  });
  REQUIRE(server.listen("127.0.0.1:0"));
  UniqueFd client = connect_to(*server.address());
  send_request(client.get());
  server.on_listening([&](const Address&) { events.emplace_back("listening"); });
  CHECK(events.empty());
  answer(loop, client.get());
  CHECK(events == std::vector<std::string>{"listening", "request"});
  server.close();
  loop.run();
}

TEST_CASE("listen: without a host, both families") {
  Loop loop;
  Listened s(loop);
  const Address at = s.listen(":0");
  CHECK(at.address == "::");
  CHECK(ask(loop, loopback(at.port)) == "hello");
  CHECK(ask(loop, loopback(at.port), "/peer") == "127.0.0.1");
  CHECK(ask(loop, loopback(at.port, AddressType::ipv6), "/peer") == "::1");
  CHECK(s.closes());
}

TEST_CASE("listen: IPv6 alone leaves IPv4's port free") {
  Loop loop;
  // Another program may have the port in IPv4 that the kernel gave us in IPv6: then another one.
  for (int attempt = 0; attempt < 20; ++attempt) {
    Listened six(loop), four(loop);
    const Address at = six.listen("[::]:0", {.ipv6_only = true});
    CHECK(ask(loop, loopback(at.port, AddressType::ipv6)) == "hello");
    const Address beside = four.listen("0.0.0.0:" + std::to_string(at.port));
    const bool is_free = four.errors.empty();
    if (is_free) {
      CHECK(beside.port == at.port);
      CHECK(ask(loop, loopback(at.port)) == "hello");
      CHECK(four.closes());
    }
    CHECK(six.closes());
    if (is_free) return;
  }
  FAIL("IPv4's port was taken twenty times");
}

TEST_CASE("listen: a name is resolved") {
  Loop loop;
  Listened s(loop);
  const Address at = s.listen("localhost:0");
  CHECK(ask(loop, at) == "hello");
  CHECK(s.closes());
  Listened none(loop);
  none.listen("no-such-host.invalid:0");
  REQUIRE(none.errors.size() == 1);
  CHECK(none.errors[0].message().starts_with("getaddrinfo no-such-host.invalid: "));
}

TEST_CASE("listen: a port that is taken is Node's EADDRINUSE, and the server may try again") {
  Loop loop;
  Listened first(loop), second(loop);
  const Address at = first.listen("127.0.0.1:0");
  const std::string text = "127.0.0.1:" + std::to_string(at.port);
  second.listen(text);
  REQUIRE(second.errors.size() == 1);
  CHECK(second.errors[0].name() == "EADDRINUSE");
  CHECK(second.errors[0].message() == "listen EADDRINUSE: address already in use " + text);
  CHECK(second.errors[0].call()->syscall == "listen");
  CHECK(first.closes());
  CHECK(second.listen(text) == at);
  CHECK(ask(loop, at) == "hello");
}

TEST_CASE("listen: an error that nobody hears ends the loop with exit code 1") {
  Loop loop;
  Listened first(loop);
  const Address at = first.listen("127.0.0.1:0");
  Server second(loop);
  REQUIRE(second.listen("127.0.0.1:" + std::to_string(at.port)));
  CHECK(loop.run() == 1);
}

TEST_CASE("listen: what is no address, and a wrong route, are told at once") {
  Loop loop;
  Server server(loop);
  for (const char* wrong :
       {"", "8080", "127.0.0.1", ":x", ":70000", "::1:80", "[::1:80", "unix:", "a b:80", ":"}) {
    CAPTURE(wrong);
    auto called = server.listen(wrong);
    REQUIRE_FALSE(called);
    CHECK_FALSE(called.error().message().empty());
  }
  server.get("no-slash", [](const Request&) { return Response(200); });
  server.get("/later", [](const Request&) { return Response(200); });
  auto called = server.listen("127.0.0.1:0");
  REQUIRE_FALSE(called);
  CHECK(called.error().message().contains("no-slash"));
  CHECK(loop.run() == 0);  // nothing was begun
}

TEST_CASE("listen: several addresses of one server") {
  Loop loop;
  Listened s(loop);
  const Address first = s.listen("127.0.0.1:0");
  const Address second = s.listen("127.0.0.1:0");
  CHECK(first.port != second.port);
  CHECK(s.server.address() == first);
  CHECK(ask(loop, first) == "hello");
  CHECK(ask(loop, second) == "hello");
  CHECK(s.closes());
  CHECK(ask(loop, first).starts_with("refused"));
  CHECK(ask(loop, second).starts_with("refused"));
}

TEST_CASE("listen: a unix socket, whose file goes with the server") {
  SocketFolder folder;
  Loop loop;
  Listened s(loop);
  const std::string file = (folder.path / "s").string();
  const Address at = s.listen("unix:" + file, {.readable_all = true, .writable_all = true});
  CHECK(at == Address{file, 0, AddressType::unix_socket, {}});
  CHECK(ask(loop, at, "/peer") == "unix");
  struct stat info{};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0666) == 0666);

  Listened other(loop);
  other.listen("unix:" + file);
  REQUIRE(other.errors.size() == 1);
  CHECK(other.errors[0].message() == "listen EADDRINUSE: address already in use " + file);
  CHECK(s.closes());
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("listen: the file of a server that died is no hindrance, another file is") {
  SocketFolder folder;
  Loop loop;
  const std::string file = (folder.path / "s").string();
  UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  file.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  dead.reset();
  Listened s(loop);
  CHECK(ask(loop, s.listen("unix:" + file)) == "hello");

  const std::string text = (folder.path / "notes").string();
  ::fclose(::fopen(text.c_str(), "w"));
  Listened other(loop);
  other.listen("unix:" + text);
  REQUIRE(other.errors.size() == 1);
  CHECK(other.errors[0].name() == "EEXIST");
  CHECK(std::filesystem::exists(text));
}

TEST_CASE("listen: it keeps the loop running, and close lets it end") {
  Loop loop;
  Listened s(loop);
  s.listen("127.0.0.1:0");
  s.server.set_accepting(false);  // not even a descriptor is watched
  uv::Timer later(loop, [&] { s.close(); });
  later.start(Millis(30));
  CHECK(loop.run() == 0);
  CHECK(s.closed == 1);
}

TEST_CASE("listen: after close it is an error") {
  Loop loop;
  Listened s(loop);
  s.listen("127.0.0.1:0");
  CHECK(s.closes());
  auto again = s.server.listen("127.0.0.1:0");
  REQUIRE_FALSE(again);
  CHECK(again.error().message() == "the server was closed");
}

TEST_CASE("close: a request in flight is answered, and every caller hears of the end") {
  Loop loop;
  Listened s(loop);
  const Address at = s.listen("127.0.0.1:0");
  UniqueFd client = connect_to(at);
  const std::string_view half = "GET / HTTP/1.1\r\nHost: x\r\n";
  ::send(client.get(), half.data(), half.size(), MSG_NOSIGNAL);
  REQUIRE(run_until(loop, [&] { return s.server.connections() == 1; }));
  s.close();
  s.close();
  turn(loop);
  CHECK(s.closed == 0);
  CHECK_FALSE(connect_to(at));
  ::send(client.get(), "\r\n", 2, MSG_NOSIGNAL);
  CHECK(answer(loop, client.get()) == "hello");
  REQUIRE(run_until(loop, [&] { return s.closed == 2; }));
  s.close();
  CHECK(s.closed == 2);  // from the loop, also when it is closed already
  CHECK(run_until(loop, [&] { return s.closed == 3; }));
}

TEST_CASE("close: before the outcome of listen is told, nothing is told of it") {
  Loop loop;
  Listened s(loop);
  REQUIRE(s.server.listen("127.0.0.1:0"));
  s.close();
  loop.run();
  CHECK(s.closed == 1);
  CHECK(s.addresses.empty());
  CHECK(s.errors.empty());
}

TEST_CASE("listen: any of its callbacks may destroy the server") {
  Loop loop;
  std::optional<Server> server;
  SUBCASE("on_listening") {
    server.emplace(loop);
    server->on_listening([&](const Address&) { server.reset(); });
    server->on_listening([&](const Address&) { FAIL("the server is gone"); });
    REQUIRE(server->listen("127.0.0.1:0"));
    REQUIRE(server->listen("127.0.0.1:0"));
  }
  SUBCASE("on_error") {
    server.emplace(loop);
    server->on_error([&](const Error&) { server.reset(); });
    REQUIRE(server->listen("192.0.2.1:0"));  // no address of this machine
    REQUIRE(server->listen("192.0.2.1:0"));
  }
  SUBCASE("closed") {
    server.emplace(loop);
    REQUIRE(server->listen("127.0.0.1:0"));
    server->close([&] { server.reset(); });
    server->close([&] { FAIL("the server is gone"); });
  }
  CHECK(loop.run() == 0);
  CHECK_FALSE(server);
}

TEST_CASE("listen: a callback may listen again") {
  Loop loop;
  Listened s(loop);
  bool again = false;
  s.server.on_listening([&](const Address&) {
    if (!std::exchange(again, true)) CHECK(s.server.listen("127.0.0.1:0"));
  });
  s.listen("127.0.0.1:0");
  REQUIRE(run_until(loop, [&] { return s.addresses.size() == 2; }));
  CHECK(ask(loop, s.addresses[1]) == "hello");
}

TEST_CASE("listen: a client that has left does not end a plain program by SIGPIPE") {
  std::signal(SIGPIPE, SIG_DFL);
  Loop loop;
  Listened s(loop);
  s.server.get("/big", [](const Request&) { return Response::text(std::string(8 << 20, 'b')); });
  const Address at = s.listen("127.0.0.1:0");
  UniqueFd client = connect_to(at);
  send_request(client.get(), "/big");
  REQUIRE(run_until(loop, [&] {
    char c = 0;
    return ::recv(client.get(), &c, 1, MSG_DONTWAIT) == 1;
  }));
  linger now{1, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  client.reset();
  CHECK(run_until(loop, [&] { return s.server.connections() == 0; }));
}

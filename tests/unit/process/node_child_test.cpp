// SPDX-License-Identifier: Apache-2.0
// Our parent, an unmodified Node child: what child_process.fork would give it.
#include "tests/unit/process/process_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::Json;

TEST_CASE("node child: messages travel both ways unchanged, and disconnect ends it") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, "process.on('message', (m) => process.send({echo: m}));");
  child.receive();
  const std::vector<Json> messages = {Json{{"hello", "world"}},
                                      Json("text"),
                                      Json(1.5),
                                      Json(),
                                      Json(true),
                                      Json::array({1, Json::object()}),
                                      Json("\xf0\x9f\x90\x98 \"quoted\"\n"),
                                      Json(std::string(1 << 20, 'x') + "\xc3\xa9"),
                                      Json{{"cmd", "NODE_"}}};
  for (const Json& m : messages) CHECK(child->send(m).has_value());
  REQUIRE(run_until(loop, [&] { return child.messages.size() == messages.size(); }));
  for (std::size_t i = 0; i < messages.size() && i < child.messages.size(); ++i) {
    CHECK(child.messages[i] == Json{{"echo", messages[i]}}.dump());
  }
  child->disconnect();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.exit->code == 0);
}

TEST_CASE("node child: what JSON.stringify makes of odd values arrives") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop,
                  "for (const m of ['\\ud800', '\\u2028', 1e21, -0, 5e-324, {n: NaN, u: "
                  "undefined, d: new Date(0)}])"
                  " process.send(m);");
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.errors.empty());
  CHECK(child.messages ==
        std::vector<std::string>{"\"\xef\xbf\xbd\"", "\"\xe2\x80\xa8\"", "1e+21", "0", "5e-324",
                                 "{\"d\":\"1970-01-01T00:00:00.000Z\",\"n\":null}"});
}

TEST_CASE("node child: a listening server is passed, and the child answers HTTP on it") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    process.on('message', (m, handle) => {
      if (m !== 'server') { process.send(m); return; }
      require('http').createServer((q, r) => r.end('from the child')).listen(handle, () => process.send('listens'));
    });)");
  child.receive();
  std::uint16_t port = 0;
  auto server = bound_socket(64, &port);
  CHECK(child->send(Json("server"), Handle::server(server.get())).value());
  CHECK(child->send(Json("behind the handle")).value());
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 2; }));
  CHECK(http_get(port) == "from the child");
  CHECK(child->kill(SIGKILL).value());
  REQUIRE(run_until(loop, [&] { return child.closed; }));
}

TEST_CASE(
    "node child: an accepted connection, a raw handle and a datagram socket are passed in order") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    process.on('message', (m, h) => {
      process.send([m, h ? h.constructor.name : null]);
      if (m === 'socket') h.end('bye');
      else if (h) h.close();
    });)");
  child.receive();
  std::uint16_t port = 0;
  auto server = bound_socket(1, &port);
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  UniqueFd accepted(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  UniqueFd udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto bound = bound_socket(0);

  CHECK(child->send(Json("socket"), Handle::socket(accepted.get())).value());
  accepted.reset();
  CHECK(child->send(Json("raw"), Handle::native(bound.get())).value());
  CHECK(child->send(Json("plain")).has_value());
  CHECK(child->send(Json("udp"), Handle::udp(udp.get())).has_value());
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 4; }));
  CHECK(child.messages == std::vector<std::string>{"[\"socket\",\"Socket\"]", "[\"raw\",\"TCP\"]",
                                                   "[\"plain\",null]", "[\"udp\",\"Socket\"]"});
  std::array<char, 8> answer{};
  CHECK(::recv(client.get(), answer.data(), answer.size(), MSG_WAITALL) == 3);
  client.reset();
  child->disconnect();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.exit->code == 0);
}

TEST_CASE("node child: it passes us a server and a connection, and goes on after our ACK") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    const net = require('net');
    const s = net.createServer((c) => { process.send('connection', c); process.send('after'); });
    s.listen(0, '127.0.0.1', () => {
      process.send('server', s);
      net.connect(s.address().port, '127.0.0.1').on('data', () => process.exit(5));
    });)");
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 3; }));
  CHECK(child.messages == std::vector<std::string>{"\"server\"", "\"connection\"", "\"after\""});
  REQUIRE(child.handles.size() == 2);
  CHECK(::send(child.handles[1].fd.get(), "x", 1, MSG_NOSIGNAL) == 1);
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.exit->code == 5);
  CHECK(child.errors.empty());
}

TEST_CASE(
    "node child: while we have no descriptor free its connection is refused until it gives up") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    const net = require('net');
    process.on('warning', (w) => process.send(w.name));
    process.on('message', () => {
      const s = net.createServer((c) => process.send('connection', c));
      s.listen(0, '127.0.0.1', () => net.connect(s.address().port, '127.0.0.1').on('error', () => {}));
    });)");
  child.receive();
  // The channel alone needs none; the rest of the table is filled.
  UniqueFd spare(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::vector<UniqueFd> all;
  for (int fd = 0; (fd = ::fcntl(spare.get(), F_DUPFD_CLOEXEC, 3)) >= 0;) all.emplace_back(fd);
  CHECK(child->send(Json("go")).value());
  REQUIRE(run_until(loop, [&] { return !child.messages.empty() || child.saw("disconnect"); }));
  all.clear();
  CHECK(child.messages == std::vector<std::string>{"\"SentHandleNotReceivedWarning\""});
  CHECK(child.errors.empty());
  child->disconnect();
  CHECK(child->kill(SIGKILL).value());
  REQUIRE(run_until(loop, [&] { return child.closed; }));
}

// SPDX-License-Identifier: Apache-2.0
// Many sockets at once between Node and us: each arrives once, with its own message, in order,
// although several are under way before the first is acknowledged.
#include "tests/unit/process/interop_support.h"

#include <nlohmann/json.hpp>

#include <set>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::ReceivedHandle;

namespace {

// The port at the other end of a connection: which of them a socket is.
std::uint16_t remote_port(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

struct BurstToNode {
  static constexpr const char* node = R"(
    let right = 0;
    peer.on('message', (m, h) => {
      if (m === 'end') { say(right); peer.disconnect(); return; }
      if (m.i === right && h && h.remotePort === m.port) right++; else say('wrong', m.i, right, m.port, h && h.remotePort);
      h.destroy();
    });)";
  static constexpr const char* printed = "100\n";
  std::vector<Connection> connections{100};

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
      int fd = connections[i].accepted.get();
      CHECK(peer.send(Json{{"i", i}, {"port", remote_port(fd)}}, Handle::socket(fd)).has_value());
      connections[i].accepted.reset();
    }
    CHECK(peer.send(Json("end")).has_value());
    peer.on_disconnect([] {});
  }
};

// Lines that the kernel, our socket or Node's buffer cut: behind them no handle may be under way.
struct LargeBurstToNode {
  static constexpr const char* node = R"(
    let right = 0;
    peer.on('message', (m, h) => {
      if (m === 'end') { say(right); peer.disconnect(); return; }
      const port = h ? h.remotePort : 0;
      if (m.i === right && port === m.port && m.x.length === m.size) right++;
      else say('wrong', m.i, right, m.port, port);
      if (h) h.destroy();
    });)";
  static constexpr const char* printed = "177\n";
  std::vector<Connection> connections{16};

  template <class Peer>
  void send(Peer& peer, int fd, std::size_t size) {
    Json m{{"i", count++}, {"port", 0}, {"size", size}, {"x", std::string(size, 'x')}};
    if (fd < 0) {
      CHECK(peer.send(m).has_value());
      return;
    }
    m["port"] = remote_port(fd);
    CHECK(peer.send(m, Handle::socket(fd)).has_value());
  }
  template <class Peer>
  void begin(Loop&, Peer& peer) {
    // The first socket's line spans the first 64 KiB, if Node reads so late.
    send(peer, -1, 65440);
    for (std::size_t plain : {std::size_t{0}, std::size_t{100} << 10}) {
      for (std::size_t size : {0, 3000, 9000, 20000, 40000, 60000, 66000, 100 << 10}) {
        // Small ones before, between and after it: those would get its socket, or it theirs.
        for (std::size_t i = 0; i < 10; ++i) {
          send(peer, connections[(i + count) % connections.size()].accepted.get(),
               i % 3 == 1 ? size : 0);
        }
        send(peer, -1, plain);
      }
    }
    CHECK(peer.send(Json("end")).has_value());
    peer.on_disconnect([] {});
  }
  std::size_t count = 0;
};

struct BurstFromNode {
  static constexpr const char* node = R"(
    const sockets = [];
    const s = net.createServer((c) => {
      if (sockets.push(c) < 100) return;
      sockets.forEach((c, i) => {
        peer.send({i, port: c.remotePort}, c);
        if (i % 10 === 0) peer.send({plain: 'x'.repeat(100 << 10)});
      });
      s.close();
    }).listen(0, '127.0.0.1', () => {
      for (let i = 0; i < 100; i++) net.connect(s.address().port, '127.0.0.1').on('error', () => {}).on('close', () => {});
    });
    peer.on('message', (m) => { say(m); peer.disconnect(); });)";
  static constexpr const char* printed = "100\n";
  int right = 0;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([this, &peer](const Json& m, ReceivedHandle& handle) {
      if (!handle) return;
      REQUIRE(m["i"] == right);
      REQUIRE(m["port"] == remote_port(handle.fd.get()));
      if (++right == 100) CHECK(peer.send(Json(100)).value());
    });
  }
};

}  // namespace

PRONGHORN_CONVERSATION(BurstToNode, "100 sockets of ours in one burst")
PRONGHORN_CONVERSATION(LargeBurstToNode, "sockets behind and between large messages of ours")
PRONGHORN_CONVERSATION(BurstFromNode, "100 sockets of Node's in one burst")

TEST_CASE("interop: sockets that a Node child at its limit of descriptors refuses arrive later") {
  if (!has_node()) return;
  // Five descriptors are left. It reads on only when all 16 are there, one a turn of its loop; some
  // behind the fifth find none, and then there is room again.
  ::setenv("SCRIPT", R"(
    const fs = require('fs');
    const files = [], held = [];
    const refuse = (n) => n > 0 ? setImmediate(refuse, n - 1) : files.forEach((f) => fs.closeSync(f));
    process.on('message', (m, h) => {
      process.stdout.write(m + ' ');
      if (held.push(h) === 5) refuse(5);
      if (held.length < 20) return;
      held.forEach((h) => h.destroy());
      process.disconnect();
    });
    process.stdout;  // made while there are descriptors
    try { for (;;) files.push(fs.openSync('/dev/null')); } catch (e) { if (e.code !== 'EMFILE') throw e; }
    for (let i = 0; i < 5; i++) fs.closeSync(files.pop());
    process.send('full');
    fs.readSync(0, Buffer.alloc(1));)",
           1);
  Loop loop;
  Child child;
  process::ForkOptions options;
  options.silent = true;
  child.fork_shell(loop, "ulimit -n 80; exec node -e \"$SCRIPT\"", options);
  child.read();
  std::vector<Connection> connections(20);
  std::vector<std::string> told;
  child->on_message([&](const Json&) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
      auto sent = [&told, i](const Error* error) {
        told.push_back(std::to_string(i) + (error == nullptr ? "" : " lost"));
      };
      CHECK(child->send(Json(i), Handle::socket(connections[i].accepted.get()), sent).has_value());
    }
    child->in().write("x");
  });
  CHECK(run_until(loop, [&] { return child.closed; }));
  CAPTURE(child.err);
  CHECK(child.exit == process::Exit{.code = 0});
  std::istringstream out(child.out);
  std::vector<int> arrived;
  for (int i = 0; out >> i;) arrived.push_back(i);
  CHECK(arrived.size() == 20);
  CHECK(std::set(arrived.begin(), arrived.end()).size() == 20);
  CHECK(std::vector(arrived.begin(), arrived.begin() + 5) == std::vector{0, 1, 2, 3, 4});
  CHECK_FALSE(std::is_sorted(arrived.begin(), arrived.end()));  // some were refused
  std::vector<std::string> in_order;
  for (int i = 0; i < 20; ++i) in_order.push_back(std::to_string(i));
  CHECK(told == in_order);
}

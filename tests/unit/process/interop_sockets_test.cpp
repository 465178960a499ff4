// SPDX-License-Identifier: Apache-2.0
// Connections and UDP sockets that pass between Node and us, in both directions; the sockets with a
// key are counted by their sender.
#include "tests/unit/process/interop_support.h"

#include <nlohmann/json.hpp>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::HandleType;
using ipc::ReceivedHandle;

namespace {

struct SocketToNode {
  static constexpr const char* node = R"(
    const s = http.createServer((q, r) => {
      say(q.url);
      r.end('node serves ' + q.url);
      if (q.url === '/last') r.on('finish', () => peer.disconnect());
    });
    peer.on('message', (m, h) => { say(m, h.constructor.name); s.emit('connection', h); });)";
  static constexpr const char* printed = "socket Socket\n/first\n/last\n";
  Connection connection;

  template <class Peer>
  void begin(Loop& loop, Peer& peer) {
    auto sent = [this](const Error* error) {
      CHECK(error == nullptr);
      connection.ask("/first");
      CHECK(connection.until("/first").ends_with("\r\n\r\nnode serves /first"));
      connection.ask("/last");
      CHECK(connection.until("/last").ends_with("\r\n\r\nnode serves /last"));
      connection.client.reset();
    };
    CHECK(peer.send(Json("socket"), Handle::socket(connection.accepted.get()), sent).value());
    connection.accepted.reset();
    static_cast<void>(loop);
    peer.on_disconnect([] {});
  }
};

struct SocketFromNode {
  static constexpr const char* node = R"(
    const s = net.createServer({pauseOnConnect: true}, (c) => {
      c.on('close', () => say('our copy is closed'));
      peer.send('socket', c);
      s.close();
    }).listen(0, '127.0.0.1', () => {
      http.get({port: s.address().port, path: '/from/node', agent: false}, (r) => {
        r.on('data', (d) => say(String(d)));
        r.on('end', () => peer.disconnect());
      });
    });)";
  static constexpr const char* printed = "served by us\n";

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([](const Json& m, ReceivedHandle& handle) {
      CHECK(m == "socket");
      CHECK(handle.type == HandleType::net_socket);
      REQUIRE(static_cast<bool>(handle));
      CHECK(handle.counted != nullptr);
      CHECK(answer(handle.fd.get(), "served by us") == "GET /from/node HTTP/1.1");
    });
  }
};

// Ours counts what Node holds.
struct CountsAtNode {
  static constexpr const char* node = R"(
    const held = [];
    const s = http.createServer((q, r) => r.end('node serves ' + q.url));
    peer.on('message', (m, h) => {
      if (h) { held.push(h); s.emit('connection', h); if (held.length < 3) return; peer.send('all'); return; }
      const c = held.shift();
      c.on('close', () => peer.send(m));
      c.destroy();
    });)";
  static constexpr const char* printed = "";
  static constexpr const char* key = "4:127.0.0.1:0";
  std::vector<Connection> connections{3};
  std::vector<std::size_t> counts;
  std::optional<std::size_t> counts_at_end;

  template <class Peer>
  void count(Peer& peer) {
    peer.channel()->count_sockets(key, [this, &peer](Result<std::size_t> count) {
      counts.push_back(count.value());
      if (counts.size() < 3) CHECK(peer.send(Json("drop")).value());
      end(peer);
    });
  }
  template <class Peer>
  void end(Peer& peer) {
    if (counts.size() < 3 || !counts_at_end) return;
    connections.clear();
    peer.disconnect();
  }
  template <class Peer>
  void begin(Loop&, Peer& peer) {
    // The third has no key: it is not counted.
    for (std::size_t i = 0; i < connections.size(); ++i) {
      auto& c = connections[i];
      CHECK(peer.send(Json("socket"), Handle::socket(c.accepted.get(), i < 2 ? key : ""))
                .has_value());
      c.accepted.reset();
    }
    peer.on_message([this, &peer](const Json& m) {
      if (m == "all") {
        connections[0].ask("/counted");
        CHECK(connections[0].until("/counted").ends_with("\r\n\r\nnode serves /counted"));
        peer.channel()->when_sockets_closed(key, [this, &peer] {
          counts_at_end = counts.size();
          end(peer);
        });
      }
      count(peer);
    });
    peer.on_disconnect([this] {
      CHECK(counts == std::vector<std::size_t>{2, 1, 0});
      CHECK(counts_at_end.value_or(0) >= 2);  // not before the second was told to go
    });
  }
};

// Node counts what we hold: server.getConnections and server.close.
struct CountsAtOurs {
  static constexpr const char* node = R"(
    const s = net.createServer({pauseOnConnect: true}, (c) => peer.send('socket', c));
    const clients = [];
    s.listen(0, '127.0.0.1', () => {
      for (let i = 0; i < 2; i++) clients.push(net.connect(s.address().port, '127.0.0.1').on('error', () => {}));
    });
    const count = (then) => s.getConnections((e, n) => { say('connections', e, n); then(); });
    let over = 0;
    const end = () => { if (++over === 2) { say('both'); clients.forEach((c) => c.destroy()); peer.disconnect(); } };
    peer.on('message', (m) => {
      if (m !== 'have 0') say(m);
      if (m === 'have 2') count(() => peer.send('drop'));
      if (m === 'have 1') count(() => { s.close(end); setImmediate(() => { say('closed', over); peer.send('drop'); }); });
      if (m === 'have 0') end();
    });)";
  static constexpr const char* printed =
      "have 2\nconnections null 2\nhave 1\nconnections null 1\nclosed 0\nboth\n";
  std::vector<ReceivedHandle> held;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([this, &peer](const Json& m, ReceivedHandle& handle) {
      if (handle) {
        CHECK(handle.counted != nullptr);
        held.push_back(std::move(handle));
        if (held.size() < 2) return;
      } else {
        CHECK(m == "drop");
        held.pop_back();
      }
      CHECK(peer.send(Json("have " + std::to_string(held.size()))).value());
    });
  }
};

struct UdpToNode {
  static constexpr const char* node = R"(
    peer.on('message', (m, h) => {
      say(m, h.constructor.name, h.type);
      h.on('message', (d, from) => {
        say(String(d));
        h.send('node echoes ' + d, from.port, from.address, () => { h.close(); peer.disconnect(); });
      });
    });)";
  static constexpr const char* printed = "udp Socket udp4\nping\n";
  std::uint16_t port = 0;
  UniqueFd server;
  UniqueFd client;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    server = udp_socket(&port);
    client = udp_socket();
    auto sent = [this](const Error* error) {
      CHECK(error == nullptr);
      server.reset();
      sockaddr_in to = loopback(port);
      CHECK(::sendto(client.get(), "ping", 4, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) == 4);
      REQUIRE(is_ready(client.get()));
      std::array<char, 64> space{};
      ssize_t n = ::recv(client.get(), space.data(), space.size(), 0);
      CHECK(std::string(space.data(), static_cast<std::size_t>(n)) == "node echoes ping");
    };
    CHECK(peer.send(Json("udp"), Handle::udp(server.get()), sent).value());
    peer.on_disconnect([] {});
  }
};

struct Udp6ToNode {
  static constexpr const char* node = R"(
    peer.on('message', (m, h) => {
      say(m, h.constructor.name, h.type, h.address().family, h.address().address);
      h.on('message', (d, from) => {
        say(String(d), from.family);
        h.send('node echoes ' + d, from.port, from.address, () => { h.close(); peer.disconnect(); });
      });
    });)";
  static constexpr const char* printed = "udp6 Socket udp6 IPv6 ::1\nping IPv6\n";
  UniqueFd client;
  sockaddr_in6 to{};

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    UniqueFd server = bound(&to);
    client = bound(nullptr);
    auto sent = [this](const Error* error) {
      CHECK(error == nullptr);
      CHECK(::sendto(client.get(), "ping", 4, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) == 4);
      REQUIRE(is_ready(client.get()));
      std::array<char, 64> space{};
      ssize_t n = ::recv(client.get(), space.data(), space.size(), 0);
      CHECK(std::string(space.data(), static_cast<std::size_t>(n)) == "node echoes ping");
    };
    CHECK(peer.send(Json("udp6"), Handle::udp(server.get()), sent).value());
    peer.on_disconnect([] {});
  }
  static UniqueFd bound(sockaddr_in6* at) {
    UniqueFd fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    if (at != nullptr) *at = address;
    return fd;
  }
};

struct UdpFromNode {
  static constexpr const char* node = R"(
    const d = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => peer.send('udp', d));
    const e = dgram.createSocket('udp6');
    e.bind(0, '::1', () => peer.send('udp6', e, () => e.close()));
    peer.on('message', () => {
      const port = d.address().port;
      d.close();
      const c = dgram.createSocket('udp4');
      c.on('message', (m) => { say(String(m)); c.close(); peer.disconnect(); });
      c.send('pong', port, '127.0.0.1');
    });)";
  static constexpr const char* printed = "echo pong\n";

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([this, &peer](const Json& m, ReceivedHandle& handle) {
      CHECK(handle.type == HandleType::dgram_socket);
      REQUIRE(static_cast<bool>(handle));
      handles.push_back(std::move(handle));
      int domain = 0;
      socklen_t size = sizeof domain;
      ::getsockopt(handles.back().fd.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
      CHECK(domain == (m == "udp6" ? AF_INET6 : AF_INET));
      if (m == "udp") udp = handles.size() - 1;
      if (handles.size() < 2) return;
      auto sent = [this](const Error* error) {
        CHECK(error == nullptr);
        CHECK(echo_one(handles[udp].fd.get()) == "pong");
      };
      CHECK(peer.send(Json("have"), sent).value());
    });
  }
  std::vector<ReceivedHandle> handles;
  std::size_t udp = 0;
};

}  // namespace

PRONGHORN_CONVERSATION(SocketToNode, "a connection of ours is served by Node")
PRONGHORN_CONVERSATION(SocketFromNode, "a connection of Node's is served by us")
PRONGHORN_CONVERSATION(CountsAtNode, "we count the sockets that Node holds, and learn of the last")
PRONGHORN_CONVERSATION(CountsAtOurs, "getConnections and server.close count the sockets we hold")
PRONGHORN_CONVERSATION(UdpToNode, "a UDP socket of ours is served by Node")
PRONGHORN_CONVERSATION(Udp6ToNode, "a udp6 socket of ours is served by Node")
PRONGHORN_CONVERSATION(UdpFromNode, "UDP sockets of Node's are served by us")

// SPDX-License-Identifier: Apache-2.0
// Listening and bound sockets that pass between Node and us, in both directions, with HTTP served
// by whoever received them.
#include "tests/unit/process/interop_support.h"

#include <nlohmann/json.hpp>

#include <sys/un.h>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::HandleType;
using ipc::ReceivedHandle;

namespace {

bool listens(int fd) {
  int on = 0;
  socklen_t size = sizeof on;
  ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size);
  return on != 0;
}

struct ServerToNode {
  static constexpr const char* node = R"(
    peer.on('message', (m, h) => {
      say(JSON.stringify(m), h ? h.constructor.name : null);
      if (m !== 'server') return;
      const s = http.createServer((q, r) => {
        say(q.method, q.url);
        r.end('node serves ' + q.url, () => { s.close(); peer.disconnect(); });
      }).listen(h, () => peer.send('listens'));
    });)";
  static constexpr const char* printed = "\"server\" Server\n\"behind\" null\nGET /\n";
  UniqueFd server;
  std::uint16_t port = 0;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    server = bound_socket(64, &port);
    CHECK(peer.send(Json("server"), Handle::server(server.get())).value());
    CHECK(peer.send(Json("behind")).value());
    peer.on_message([this](const Json& m) {
      CHECK(m == "listens");
      server.reset();
      CHECK(http_get(port) == "node serves /");
    });
  }
};

struct ServerFromNode {
  static constexpr const char* node = R"(
    const s = net.createServer((c) => { say('node took it'); c.destroy(); });
    s.listen(0, '127.0.0.1', () => { peer.send('server', s); peer.send('behind'); });
    peer.on('message', (m) => {
      const port = s.address().port;
      s.close(() => say('closed'));
      http.get({port, path: '/from/node', agent: false}, (r) => {
        r.on('data', (d) => say(String(d)));
        r.on('end', () => peer.disconnect());
      });
    });)";
  static constexpr const char* printed = "closed\nserved by us\n";
  std::vector<std::string> told;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([this, &peer](const Json& m, ReceivedHandle& handle) {
      told.push_back(m);
      if (m == "behind") {
        CHECK(told == std::vector<std::string>{"server", "behind"});
        return;
      }
      CHECK(handle.type == HandleType::net_server);
      REQUIRE(static_cast<bool>(handle));
      CHECK(handle.counted == nullptr);
      CHECK(listens(handle.fd.get()));
      auto sent = [server = std::move(handle.fd)](const Error* error) {
        CHECK(error == nullptr);
        CHECK(accept_and_answer(server.get(), "served by us") == "GET /from/node HTTP/1.1");
      };
      CHECK(peer.send(Json("accepting"), std::move(sent)).value());
    });
  }
};

struct NativeToNode {
  static constexpr const char* node = R"(
    let served = 0;
    peer.on('message', (m, h) => {
      say(m, h.constructor.name);
      if (m === 'connection') {
        new net.Socket({handle: h, readable: true, writable: true}).end('bytes on ' + m);
        return;
      }
      const s = http.createServer((q, r) => r.end('node serves ' + m, () => {
        s.close();
        if (++served === 2) peer.disconnect();
      })).listen(h, () => peer.send(m));
    });)";
  static constexpr const char* printed = "listening TCP\nbound TCP\nconnection TCP\n";
  UniqueFd listening;
  UniqueFd bound;
  std::uint16_t ports[2] = {0, 0};
  Connection connection;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    listening = bound_socket(64, &ports[0]);
    bound = bound_socket(0, &ports[1]);
    CHECK(peer.send(Json("listening"), Handle::native(listening.get())).value());
    CHECK(peer.send(Json("bound"), Handle::native(bound.get())).has_value());
    CHECK(peer.send(Json("connection"), Handle::native(connection.accepted.get())).has_value());
    connection.accepted.reset();
    peer.on_message([this](const Json& m) {
      if (m == "bound") {
        CHECK(connection.until("connection") == "bytes on connection");
        connection.client.reset();
      }
      CHECK(http_get(ports[m == "listening" ? 0 : 1]) == "node serves " + m.get<std::string>());
    });
  }
};

struct NativeFromNode {
  static constexpr const char* node = R"(
    const s = net.createServer().listen(0, '127.0.0.1', () => peer.send('native', s._handle));
    peer.on('message', (m) => {
      const port = s.address().port;
      s.close();
      http.get({port, path: '/native', agent: false}, (r) => {
        r.on('data', (d) => say(String(d)));
        r.on('end', () => peer.disconnect());
      });
    });)";
  static constexpr const char* printed = "served by us\n";

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([&peer](const Json& m, ReceivedHandle& handle) {
      CHECK(m == "native");
      CHECK(handle.type == HandleType::net_native);
      REQUIRE(static_cast<bool>(handle));
      CHECK(listens(handle.fd.get()));
      auto sent = [server = std::move(handle.fd)](const Error* error) {
        CHECK(error == nullptr);
        CHECK(accept_and_answer(server.get(), "served by us") == "GET /native HTTP/1.1");
      };
      CHECK(peer.send(Json("accepting"), std::move(sent)).value());
    });
  }
};

struct Folder {
  std::string path = std::filesystem::temp_directory_path() / "interop-XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
};

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// With net: http's listen of such a server fails in Node (EEXIST).
struct UnixServerToNode {
  static constexpr const char* node = R"(
    peer.on('message', (m, server) => {
      say(m, server.constructor.name);
      server.on('connection', (c) => {
        c.on('data', (d) => { say(String(d)); c.end('node answers ' + d); });
        c.on('close', () => server.close(() => peer.disconnect()));
      });
      peer.send('accepts');
    });)";
  static constexpr const char* printed = "unix Server\nping\n";
  Folder folder;
  UniqueFd server;

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    server.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un at = unix_address(folder.path + "/ours");
    REQUIRE(::bind(server.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(server.get(), 8) == 0);
    CHECK(peer.send(Json("unix"), Handle::server(server.get())).value());
    peer.on_message([this, at](const Json& m) {
      CHECK(m == "accepts");
      server.reset();
      UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
      CHECK(::send(client.get(), "ping", 4, MSG_NOSIGNAL) == 4);
      REQUIRE(is_ready(client.get()));
      std::array<char, 64> space{};
      ssize_t n = ::recv(client.get(), space.data(), space.size(), 0);
      CHECK(std::string(space.data(), static_cast<std::size_t>(n)) == "node answers ping");
    });
  }
};

struct UnixServerFromNode {
  static constexpr const char* node = R"(
    const fs = require('fs'), os = require('os'), path = require('path');
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'interop-'));
    const at = path.join(folder, 'nodes');
    const s = net.createServer(() => say('node took it')).listen(at, () => peer.send('unix', s));
    peer.on('message', (m) => {
      fs.renameSync(at, at + '-kept');  // close() removes the path
      s.close(() => say('closed'));
      http.get({socketPath: at + '-kept', path: '/unix', agent: false}, (r) => {
        r.on('data', (d) => say(String(d)));
        r.on('end', () => { peer.disconnect(); fs.rmSync(folder, {recursive: true}); });
      });
    });)";
  static constexpr const char* printed = "closed\nserved by us\n";

  template <class Peer>
  void begin(Loop&, Peer& peer) {
    peer.on_message([&peer](const Json& m, ReceivedHandle& handle) {
      CHECK(m == "unix");
      CHECK(handle.type == HandleType::net_server);
      REQUIRE(static_cast<bool>(handle));
      CHECK(listens(handle.fd.get()));
      auto sent = [server = std::move(handle.fd)](const Error* error) {
        CHECK(error == nullptr);
        CHECK(accept_and_answer(server.get(), "served by us") == "GET /unix HTTP/1.1");
      };
      CHECK(peer.send(Json("accepting"), std::move(sent)).value());
    });
  }
};

}  // namespace

PRONGHORN_CONVERSATION(ServerToNode, "a server of ours is served by Node")
PRONGHORN_CONVERSATION(ServerFromNode, "a server of Node's is served by us")
PRONGHORN_CONVERSATION(NativeToNode, "raw handles of ours are served by Node")
PRONGHORN_CONVERSATION(NativeFromNode, "a raw handle of Node's is served by us")
PRONGHORN_CONVERSATION(UnixServerToNode, "a server of ours on a unix path is served by Node")
PRONGHORN_CONVERSATION(UnixServerFromNode, "a server of Node's on a unix path is served by us")

// SPDX-License-Identifier: Apache-2.0
// A real Node parent forks this test program by execPath; the skipped cases are what it runs then.
#include "base/uv/poll.h"
#include "ipc/cluster_messages.h"
#include "tests/unit/process/process_fixture.h"

#include <nlohmann/json.hpp>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Channel;
using ipc::Handle;
using ipc::Json;
using ipc::ReceivedHandle;

namespace {

Channel inherited(Loop& loop, Channel::Handlers handlers, std::string* id = nullptr) {
  auto fd = ipc::take_inherited_channel(id);
  REQUIRE(fd.has_value());
  REQUIRE(static_cast<bool>(*fd));
  auto channel = Channel::open(loop, std::move(*fd), std::move(handlers));
  REQUIRE(channel.has_value());
  return std::move(*channel);
}

// Accepts one connection and answers it as an HTTP server would.
void answer_one(int listener, const std::string& body) {
  pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
  REQUIRE(::poll(&ready, 1, 10000) == 1);
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 4096> request{};
  CHECK(::recv(fd.get(), request.data(), request.size(), 0) > 0);
  std::string answer =
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  CHECK(::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(answer.size()));
}

}  // namespace

TEST_CASE("helper child" * doctest::skip()) {
  Loop loop;
  std::optional<Channel> channel;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json& m, ReceivedHandle handle) {
    if (!handle) CHECK(channel->send(Json{{"echo", m}}).has_value());
    if (m == "server") {
      CHECK(channel->send(Json("accepting")).has_value());
      // It blocks: only after what was sent has left, which is before the next poll.
      loop.soon([fd = std::move(handle.fd)] { answer_one(fd.get(), "from C++"); });
    }
    if (m == "socket") {
      CHECK(::send(handle.fd.get(), "hello", 5, MSG_NOSIGNAL) == 5);
    }
    if (m == "give") {
      auto socket = bound_socket(8);
      CHECK(channel->send(Json("given"), Handle::server(socket.get())).has_value());
      CHECK(channel->send(Json("behind")).has_value());
    }
  };
  channel = inherited(loop, std::move(handlers));
  loop.run();
}

TEST_CASE("helper cluster worker" * doctest::skip()) {
  Loop loop;
  std::string id;
  std::int64_t seq = 0;
  UniqueFd listener;
  std::optional<Channel> channel;
  Channel::Handlers handlers;
  handlers.on_internal = [&](const Json& json, ReceivedHandle handle) {
    auto message = ipc::decode_cluster_message(json);
    REQUIRE(message.has_value());
    if (message->act == "disconnect") {
      CHECK(channel->send(ipc::encode_close("127.0.0.1:0:4::0", seq++)).has_value());
      channel->disconnect();
      return;
    }
    if (message->ack != 1) return;
    CHECK(message->error == 0);
    CHECK_FALSE(message->key.empty());
    REQUIRE(static_cast<bool>(handle));
    listener = std::move(handle.fd);
    REQUIRE(::listen(listener.get(), 16) == 0);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    ipc::ClusterMessage listening{
        .seq = seq++, .address = "127.0.0.1", .port = ntohs(address.sin_port)};
    CHECK(channel->send(ipc::encode_listening(listening)).has_value());
    loop.soon([&] { answer_one(listener.get(), "worker " + id); });
  };
  channel = inherited(loop, std::move(handlers), &id);
  CHECK(channel->send(ipc::encode_online(seq++)).has_value());
  ipc::ClusterMessage query{.seq = seq++, .address = "127.0.0.1", .port = 0};
  CHECK(channel->send(ipc::encode_query_server(query)).has_value());
  loop.run();
}

TEST_CASE("node parent: messages, a server, a connection and a server of ours pass between us") {
  if (!has_node()) return;
  const std::string printed = run_node(R"(
    setTimeout(() => process.exit(3), 40000).unref();
    const net = require('net'), http = require('http');
    const c = require('child_process').fork('--test-case=helper child', ['--no-skip', '--minimal'],
      {execPath: process.env.HELPER, execArgv: []});
    const s = net.createServer();
    c.on('message', (m, h) => {
      console.log(JSON.stringify(m), h ? h.constructor.name : '');
      if (m.echo && m.echo.hi) s.listen(0, '127.0.0.1', () => c.send('server', s));
      if (m === 'accepting') {
        const port = s.address().port;
        s.close();  // or it would take the connection itself
        http.get({port, agent: false}, (r) => r.on('data', (d) => {
        console.log(String(d));
        const t = net.createServer((socket) => { c.send('socket', socket); t.close(); }).listen(0, '127.0.0.1', () =>
          net.connect(t.address().port, '127.0.0.1').on('data', (d) => { console.log(String(d)); c.send('give'); }));
        }));
      }
      if (m === 'given') h.close();
      if (m === 'behind') c.disconnect();
    });
    c.on('disconnect', () => console.log('disconnect'));
    c.on('exit', (code) => { console.log('child', code); process.exit(0); });
    c.send({hi: '\ud800 \u{1F418}'});
  )");
  CAPTURE(printed);
  CHECK(printed ==
        "{\"echo\":{\"hi\":\"\xef\xbf\xbd \xf0\x9f\x90\x98\"}} \n"
        "\"accepting\" \nfrom C++\nhello\n{\"echo\":\"give\"} \n\"given\" Server\n\"behind\" \n"
        "disconnect\nchild 0\nexit 0\n");
}

TEST_CASE("node primary: it takes a worker of ours for one of its own") {
  if (!has_node()) return;
  const std::string printed = run_node(R"(
    setTimeout(() => process.exit(3), 40000).unref();
    const cluster = require('cluster');
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    process.execPath = process.env.HELPER;
    cluster.setupPrimary({exec: '--test-case=helper cluster worker', args: ['--no-skip', '--minimal'], execArgv: []});
    const w = cluster.fork();
    w.on('online', () => console.log('online'));
    w.on('listening', (a) => {
      console.log('listening', a.address, a.addressType);
      require('http').get({port: a.port, host: a.address, agent: false}, (r) => r.on('data', (d) => {
        console.log(String(d));
        w.disconnect();
      }));
    });
    cluster.on('disconnect', () => console.log('disconnect'));
    cluster.on('exit', (w, code) => { console.log('exit', code, w.exitedAfterDisconnect); process.exit(0); });
  )");
  CAPTURE(printed);
  CHECK(printed == "online\nlistening 127.0.0.1 4\nworker 1\ndisconnect\nexit 0 true\nexit 0\n");
}

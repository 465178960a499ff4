// SPDX-License-Identifier: Apache-2.0
// Unmodified Node programs as workers of our primary, in both of Node's scheduling modes.
#include "ipc/scoreboard.h"
#include "node_rig.h"
#include "tests/unit/master/support.h"

#include <csignal>
#include <filesystem>

using namespace pronghorn;
using namespace pronghorn::test;

namespace {

constexpr Scheduling kNodes[] = {Scheduling::shared, Scheduling::round_robin};

constexpr const char* kServer = R"(
  const cluster = require('cluster');
  if (!cluster.isWorker) process.exit(9);
  const s = require('http').createServer((q, r) => r.end('worker ' + cluster.worker.id));
  s.on('error', (e) => { process.send(e.code + ' ' + e.syscall); process.disconnect(); });
  s.listen(0, '127.0.0.1');
  process.on('message', () => cluster.worker.disconnect());)";

/// Requests, one at a time; the bodies, and who is asked for the next one.
std::string get(const Address& address, int count) {
  return fmt::format(R"(
    const http = require('http');
    const next = (n) => n && http.get({{ port: {}, host: '127.0.0.1', agent: false }}, (r) => {{
      let body = ''; r.on('data', (d) => body += d);
      r.on('end', () => {{ console.log(body); next(n - 1); }});
    }});
    next({});)",
                     address.port, count);
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("node worker: an unmodified http server answers, and leaves when it is told to") {
  if (!has_node()) return;
  for (auto scheduling : kNodes) {
    CAPTURE(scheduling_name(scheduling));
    NodeRig rig(scheduling);
    rig.start(1, kServer);
    auto address = rig.wait(1);
    rig.start(2, kServer);
    CHECK(rig.wait(2) == address);
    auto out = rig.client(get(address, 20));
    CHECK(count(out, "worker") == 20);
    if (scheduling == Scheduling::round_robin) {
      CHECK(count(out, "worker 1") == 10);
      CHECK(rig.primary->totals().handed_over == 20);
    }
    CHECK(rig.primary->disconnect(1).value());
    REQUIRE(rig.ended(1));
    CHECK(rig.workers[1]->exit->code == 0);
    CHECK(rig.workers[1]->errors.empty());
    CHECK(rig.client(get(address, 4)) == "worker 2\nworker 2\nworker 2\nworker 2\n");
    CHECK(rig.events ==
          std::vector<std::string>{"1 online", "1 listening", "2 online", "2 listening"});
    // The port stays open without a worker: who comes now is the next one's.
    rig.workers[2]->process->kill(SIGKILL).value();
    REQUIRE(rig.ended(2));
    auto early = connect_to({"127.0.0.1", address.port, {}});
    REQUIRE(early);
    CHECK(send_text(early.get(), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    rig.start(3, kServer);
    CHECK(rig.wait(3) == address);
    pollfd answer{early.get(), POLLIN, 0};
    CHECK(run_until(rig.loop, [&] { return ::poll(&answer, 1, 0) == 1; }));
    CHECK(read_all(early.get()).ends_with("worker 3"));
  }
}

TEST_CASE("node worker: it may leave by itself, once its exitedAfterDisconnect is answered") {
  if (!has_node()) return;
  NodeRig rig(Scheduling::round_robin);
  Child& worker = rig.start(1, kServer);
  rig.wait(1);
  CHECK(worker->channel()->send(ipc::Json("leave")).value());
  REQUIRE(rig.ended(1));
  CHECK(rig.events.back() == "1 leaving");
  CHECK(worker.exit->code == 0);
}

TEST_CASE("node worker: when the primary's channel goes, it goes") {
  if (!has_node()) return;
  NodeRig rig(Scheduling::round_robin);
  Child& worker = rig.start(1, kServer);
  rig.wait(1);
  worker->disconnect();
  REQUIRE(rig.ended(1));
  CHECK(worker.exit->code == 0);
}

TEST_CASE("node worker: what the primary cannot open is its server's error") {
  if (!has_node()) return;
  for (auto scheduling : kNodes) {
    NodeRig rig(scheduling);
    auto taken = master::Listener::open({"127.0.0.1", 0, {}}, 1);
    REQUIRE(taken);
    Child& worker = rig.start(1, fmt::format(R"(
      const s = require('net').createServer();
      s.on('error', (e) => {{ process.send([e.code, e.syscall, e.port]); process.disconnect(); }});
      s.listen({}, '127.0.0.1');)",
                                             taken->address().port)
                                     .c_str());
    REQUIRE(rig.ended(1));
    CHECK(worker.messages ==
          std::vector{fmt::format(R"(["EADDRINUSE","bind",{}])", taken->address().port)});
  }
  // A socket of one's own needs a slot, which Node has not.
  auto board = ipc::Scoreboard::create(1).value();
  NodeRig rig(Scheduling::reuseport, &board);
  Child& worker = rig.start(1, kServer);
  REQUIRE(rig.ended(1));
  CHECK(worker.messages == std::vector<std::string>{R"("ENOTSUP bind")"});
}

TEST_CASE("node worker: its second server of port 0 has a port of its own, alike in every worker") {
  if (!has_node()) return;
  constexpr const char* kTwo = R"(
    const http = require('http');
    http.createServer((q, r) => r.end('first')).listen(0, '127.0.0.1', () =>
      http.createServer((q, r) => r.end('second')).listen(0, '127.0.0.1'));)";
  for (auto scheduling : kNodes) {
    NodeRig rig(scheduling);
    rig.start(1, kTwo);
    rig.start(2, kTwo);
    rig.wait(1, 2);
    rig.wait(2, 2);
    CHECK(rig.listening[1] == rig.listening[2]);
    CHECK(rig.client(get(rig.listening[1][0], 2)) == "first\nfirst\n");
    CHECK(rig.client(get(rig.listening[1][1], 2)) == "second\nsecond\n");
  }
}

TEST_CASE("node worker: a unix socket is there until its server is closed") {
  if (!has_node()) return;
  for (auto scheduling : kNodes) {
    NodeRig rig(scheduling);
    Folder folder;
    std::string path = folder / "s";
    Child& worker = rig.start(1, fmt::format(R"(
      const s = require('http').createServer((q, r) => r.end('by file'));
      s.listen('{}');
      process.on('message', () => s.close());)",
                                             path)
                                     .c_str());
    CHECK(rig.wait(1) ==
          Address{.address = path, .port = 0, .type = AddressType::unix_socket, .fd = {}});
    CHECK(rig.client(fmt::format(
              "require('http').get({{ socketPath: '{}' }}, (r) => r.pipe(process.stdout))",
              path)) == "by file");
    CHECK(worker->channel()->send(ipc::Json("close")).value());
    CHECK(run_until(rig.loop, [&] { return !std::filesystem::exists(path); }));
  }
}

TEST_CASE("node worker: dgram sockets are shared") {
  if (!has_node()) return;
  constexpr const char* kEcho = R"(
    const s = require('dgram').createSocket('udp4');
    s.on('message', (m, from) => s.send('got ' + m, from.port, from.address));
    s.bind(0, '127.0.0.1');)";
  for (auto scheduling : kNodes) {
    NodeRig rig(scheduling);
    rig.start(1, kEcho);
    auto address = rig.wait(1);
    CHECK(address.type == AddressType::udp4);
    rig.start(2, kEcho);
    CHECK(rig.wait(2) == address);
    auto out = rig.client(fmt::format(R"(
      const s = require('dgram').createSocket('udp4');
      let left = 10;
      s.on('message', (m) => {{ console.log(String(m)); --left ? ask() : s.close(); }});
      const ask = () => s.send('hello', {}, '127.0.0.1');
      ask();)",
                                      address.port));
    CHECK(count(out, "got hello\n") == 10);
  }
}

TEST_CASE("node worker: a TLS session that one worker began goes on with another") {
  if (!has_node()) return;
  Folder folder;
  std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
      "-subj /CN=localhost -keyout " +
      folder / "key" + " -out " + folder / "cert" + " 2>" + folder / "log";
  REQUIRE(std::system(make.c_str()) == 0);
  std::string server = fmt::format(R"(
    const fs = require('fs'), cluster = require('cluster');
    require('https').createServer({{ key: fs.readFileSync('{0}/key'), cert: fs.readFileSync('{0}/cert') }},
      (q, r) => r.end('worker ' + cluster.worker.id)).listen(0, '127.0.0.1');)",
                                   folder.path());
  NodeRig rig(Scheduling::round_robin);
  rig.start(1, server.c_str());
  auto address = rig.wait(1);
  rig.start(2, server.c_str());
  rig.wait(2);
  CHECK(rig.client(fmt::format(R"(
    const tls = require('tls');
    let session;
    const next = (n) => {{
      const options = {{ port: {}, host: '127.0.0.1', rejectUnauthorized: false, session }};
      let reused, text = '';
      const s = tls.connect(options, () => {{
        reused = s.isSessionReused();
        s.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      }});
      s.on('session', (fresh) => session = fresh);
      s.on('data', (d) => text += d);
      s.on('close', () => {{
        console.log(text.split('\r\n\r\n')[1], reused);
        if (n > 1) next(n - 1);
      }});
    }};
    next(4);)",
                               address.port)) ==
        "worker 1 false\nworker 2 true\nworker 1 true\nworker 2 true\n");
}

TEST_CASE(
    "node worker: the client of one that is killed before it took the connection is answered") {
  if (!has_node()) return;
  NodeRig rig(Scheduling::round_robin);
  rig.start(1, kServer);
  auto address = rig.wait(1);
  CHECK(rig.workers[1]->process->kill(SIGSTOP).value());
  auto client = connect_to({"127.0.0.1", address.port, {}});
  REQUIRE(client);
  CHECK(send_text(client.get(), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  REQUIRE(run_until(rig.loop, [&] { return rig.primary->totals().waiting == 1; }));
  rig.start(2, kServer);
  rig.wait(2);
  CHECK(rig.workers[1]->process->kill(SIGKILL).value());
  pollfd answer{client.get(), POLLIN, 0};
  CHECK(run_until(rig.loop, [&] { return ::poll(&answer, 1, 0) == 1; }));
  CHECK(read_all(client.get()).ends_with("worker 2"));
  CHECK(rig.primary->totals().recovered == 1);
}

// SPDX-License-Identifier: Apache-2.0
// A minimal cluster primary made of cluster_messages.h, with unmodified Node workers; shared mode.
#include "ipc/cluster_messages.h"
#include "tests/unit/process/process_fixture.h"

#include <nlohmann/json.hpp>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;

namespace {

struct Primary {
  Loop loop;
  Child worker;
  std::uint16_t port = 0;
  UniqueFd socket = bound_socket(0, &port);
  std::int64_t bind_error = 0;
  std::int64_t seq = 0;
  std::vector<std::string> acts;

  void start(const char* script) {
    // Node is a worker only with an argv[1].
    worker.take(process::fork(
        loop, script, {"worker"},
        {.env_merge = {{"NODE_UNIQUE_ID", "7"}}, .exec_path = "node", .exec_argv = {"-e"}}));
    worker->on_message([this](const Json& m) { worker.messages.push_back(m.dump()); });
    worker->on_internal([this](const Json& json, ipc::ReceivedHandle&) {
      if (auto message = ipc::decode_cluster_message(json)) on_cluster(*message);
    });
  }
  void on_cluster(const ipc::ClusterMessage& m) {
    acts.push_back(m.act);
    auto& channel = *worker->channel();
    if (m.act == "exitedAfterDisconnect")
      CHECK(channel.send(ipc::encode_ack(*m.seq, seq++)).has_value());
    if (m.act != "queryServer") return;
    CHECK(m.address == "127.0.0.1");
    CHECK(m.address_type == AddressType::ipv4);
    if (bind_error != 0) {
      CHECK(channel.send(ipc::encode_error_reply(*m.seq, "key", bind_error, seq++)).has_value());
      return;
    }
    auto reply = ipc::encode_shared_reply({.seq = seq++, .ack = m.seq, .key = "key"});
    CHECK(channel.send(reply, Handle::native(socket.get())).has_value());
  }
  bool saw(std::string_view act) const {
    return std::find(acts.begin(), acts.end(), act) != acts.end();
  }
};

constexpr const char* kServer = R"(
  const cluster = require('cluster');
  if (!cluster.isWorker) process.exit(9);
  const s = require('http').createServer((q, r) => r.end('worker ' + cluster.worker.id));
  s.on('error', (e) => { process.send(e.code); process.disconnect(); });
  s.listen(0, '127.0.0.1');
  process.on('message', () => cluster.worker.disconnect());)";

}  // namespace

TEST_CASE("node cluster worker: it listens on our socket, answers, and leaves when it is told to") {
  if (!has_node()) return;
  Primary primary;
  primary.start(kServer);
  REQUIRE(run_until(primary.loop, [&] { return primary.saw("listening"); }));
  for (int i = 0; i < 20; ++i) CHECK(http_get(primary.port) == "worker 7");
  CHECK(primary.worker->channel()->send(ipc::encode_disconnect(primary.seq++)).value());
  REQUIRE(run_until(primary.loop, [&] { return primary.worker.closed; }));
  CHECK(primary.acts == std::vector<std::string>{"online", "queryServer", "listening", "close"});
  CHECK(primary.worker.exit->code == 0);
  CHECK(primary.worker.errors.empty());
}

TEST_CASE(
    "node cluster worker: it may leave by itself, once its exitedAfterDisconnect is answered") {
  if (!has_node()) return;
  Primary primary;
  primary.start(kServer);
  REQUIRE(run_until(primary.loop, [&] { return primary.saw("listening"); }));
  CHECK(primary.worker->channel()->send(ipc::Json("leave")).value());
  REQUIRE(run_until(primary.loop, [&] { return primary.worker.closed; }));
  CHECK(primary.saw("exitedAfterDisconnect"));
  CHECK(primary.worker.exit->code == 0);
}

TEST_CASE("node cluster worker: our bind error reaches its server") {
  if (!has_node()) return;
  Primary primary;
  primary.bind_error = -EADDRINUSE;
  primary.start(kServer);
  REQUIRE(run_until(primary.loop, [&] { return primary.worker.closed; }));
  CHECK(primary.worker.messages == std::vector<std::string>{"\"EADDRINUSE\""});
}

TEST_CASE("node cluster worker: when the primary's channel goes, it goes") {
  if (!has_node()) return;
  Primary primary;
  primary.start(kServer);
  REQUIRE(run_until(primary.loop, [&] { return primary.saw("listening"); }));
  primary.worker->disconnect();
  REQUIRE(run_until(primary.loop, [&] { return primary.worker.closed; }));
  CHECK(primary.worker.exit->code == 0);
}

// SPDX-License-Identifier: Apache-2.0
// Sockets with a key, counted between us and an unmodified Node, in both directions.
#include "tests/unit/process/process_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::Json;

namespace {

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  return fd;
}

}  // namespace

TEST_CASE("node sockets: Node counts the sockets that we gave it, and tells when they are closed") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    const sockets = [];
    process.on('message', (m, socket) => {
      if (m === 'take') sockets.push(socket);
      if (m === 'drop') sockets.pop().destroy();
    });)");
  std::uint16_t port = 0;
  auto server = bound_socket(8, &port);
  const std::string key = "4:127.0.0.1:" + std::to_string(port);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(connect_to(port));
    UniqueFd accepted(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    REQUIRE(child->send(Json("take"), Handle::socket(accepted.get(), key)).has_value());
  }
  std::vector<std::size_t> counts;
  bool closed = false;
  auto count = [&] {
    child->channel()->count_sockets(
        key, [&](Result<std::size_t> n) { counts.push_back(n.value_or(99)); });
  };
  count();
  count();
  child->channel()->when_sockets_closed(key, [&] { closed = true; });
  REQUIRE(run_until(loop, [&] { return counts.size() == 2; }));
  CHECK(counts == std::vector<std::size_t>{2, 2});
  CHECK_FALSE(closed);
  CHECK(child->send(Json("drop")).has_value());
  CHECK(child->send(Json("drop")).has_value());
  REQUIRE(run_until(loop, [&] { return closed; }));
  count();
  REQUIRE(run_until(loop, [&] { return counts.size() == 3; }));
  CHECK(counts[2] == 0);
  child->disconnect();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
}

TEST_CASE("node sockets: Node's server asks how many of its sockets we have, and waits for them") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    const server = require('net').createServer((socket) => process.send('take', socket));
    server.listen(0, '127.0.0.1', () => process.send(server.address().port));
    process.on('message', (m) => {
      if (m === 'count') server.getConnections((error, n) => process.send(error ? String(error) : n));
      if (m === 'close') server.close(() => process.send('closed'));
    });)");
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 1; }));
  auto client = connect_to(static_cast<std::uint16_t>(std::stoi(child.messages[0])));
  REQUIRE(run_until(loop, [&] { return child.handles.size() == 1; }));
  CHECK(child.handles[0].type == ipc::HandleType::net_socket);
  CHECK(child.handles[0].counted != nullptr);
  CHECK(child->send(Json("count")).has_value());
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 3; }));
  CHECK(child.messages[2] == "1");
  CHECK(child->send(Json("close")).has_value());
  CHECK(child->send(Json("count")).has_value());
  // The answer to the second question shows that the close was seen, and waits.
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 4; }));
  CHECK(child.messages[3] != "\"closed\"");
  child.handles.clear();
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 5; }));
  CHECK(child.messages[4] == "\"closed\"");
  CHECK(child.internals.empty());
  child->disconnect();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
}

TEST_CASE("node sockets: a Node that dies with our sockets leaves no question open") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, "process.on('message', (m, socket) => process.send('has it'));");
  child.receive();
  std::uint16_t port = 0;
  auto server = bound_socket(8, &port);
  auto client = connect_to(port);
  UniqueFd accepted(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  REQUIRE(child->send(Json("take"), Handle::socket(accepted.get(), "K")).has_value());
  REQUIRE(run_until(loop, [&] { return child.messages.size() == 1; }));
  CHECK(child->kill(SIGSTOP).value());
  std::optional<std::error_code> counted;
  bool closed = false;
  child->channel()->count_sockets("K", [&](Result<std::size_t> n) { counted = n.error().code(); });
  child->channel()->when_sockets_closed("K", [&] { closed = true; });
  CHECK(child->kill(SIGKILL).value());
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(counted == make_error_code(Errc::child_closed_before_reply));
  CHECK(closed);
}

// SPDX-License-Identifier: Apache-2.0
#include "ipc/mailbox.h"

#include "tests/unit/ipc/channel_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Channel;
using ipc::Json;
using ipc::Mailbox;
using ipc::ReceivedHandle;

namespace {

// A channel whose messages go to a mailbox.
struct Post : BarePeer {
  std::optional<Mailbox> box;
  std::vector<std::string> got;

  explicit Post(std::size_t max_pending = 1 << 20) {
    box.emplace(loop, max_pending);
    Channel::Handlers handlers = told.handlers();
    handlers.on_message = [this](const Json& m, ReceivedHandle h) { box->take(m, std::move(h)); };
    channel = open(std::move(handlers));
    box->watch(&*channel);
  }
  void listen() {
    box->listen([this](const Json& m, ReceivedHandle&) { got.push_back(m.dump()); });
  }
  void turn() { uv_run(loop.native(), UV_RUN_NOWAIT); }
};

}  // namespace

TEST_CASE("mailbox: messages wait for the first listener, and come in order, from the loop") {
  Post p;
  p.write("1\n2\n");
  CHECK(p.wait([&] { return p.box->pending() == 2; }));
  p.listen();
  CHECK(p.got.empty());
  p.write("3\n");
  CHECK(p.wait([&] { return p.got.size() == 3; }));
  CHECK(p.got == std::vector<std::string>{"1", "2", "3"});
  CHECK(p.box->pending() == 0);
}

TEST_CASE("mailbox: beyond the limit the channel is not read, until all was delivered") {
  Post p(100);
  const std::string line = "\"" + std::string(58, 'x') + "\"\n";
  p.write(line + line);
  CHECK(p.wait([&] { return p.box->pending() == 120; }));
  p.write("\"later\"\n");
  for (int i = 0; i < 10; ++i) p.turn();
  CHECK(p.box->pending() == 120);
  SUBCASE("a listener comes") {
    p.listen();
    CHECK(p.wait([&] { return p.got.size() == 3; }));
  }
  SUBCASE("the peer goes: what it left is read, its end too") {
    p.peer.reset();
    p.box->lift_limit();
    CHECK(p.wait([&] { return p.told.disconnects == 1; }));
    p.box->watch(nullptr);
    p.listen();
    p.box->deliver();
    CHECK(p.got.size() == 3);
  }
}

TEST_CASE("mailbox: sockets that nobody listens for do not take all our descriptors") {
  Post p(std::size_t{16} << 20);
  auto socket = bound_socket(1);
  const auto before = open_descriptors();
  const std::string line = R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":"m"})"
                           "\n";
  int sent = 0;
  ::fcntl(p.peer.get(), F_SETFL, O_NONBLOCK);
  for (int idle = 0; idle < 20 && sent < 600; ++idle) {
    while (sent < 600 && send_with(p.peer.get(), line, {socket.get()}) > 0) {
      ++sent;
      idle = 0;
      p.turn();
      (void)p.readable();
    }
    p.turn();
  }
  CHECK(open_descriptors() - before < 300);
  p.listen();
  CHECK(p.wait([&] { return p.got.size() == static_cast<std::size_t>(sent); }));
  CHECK(open_descriptors() == before);
  CHECK(p.told.errors.empty());
}

TEST_CASE("mailbox: lines of one read stay in order behind a pause in their middle") {
  Post p(3);
  p.write("11\n22\n33\n44\n");
  CHECK(p.wait([&] { return p.box->pending() >= 4; }));
  for (int i = 0; i < 10; ++i) p.turn();
  CHECK(p.box->pending() == 4);
  p.listen();
  CHECK(p.wait([&] { return p.got.size() == 4; }));
  CHECK(p.got == std::vector<std::string>{"11", "22", "33", "44"});
}

TEST_CASE("mailbox: several listeners share a handle, and the first that takes it has it") {
  Post p;
  auto socket = bound_socket(0);
  bool second_saw = true;
  UniqueFd kept;
  p.box->listen([&](const Json&, ReceivedHandle& h) { kept = std::move(h.fd); });
  p.box->listen([&](const Json&, ReceivedHandle& h) {
    second_saw = static_cast<bool>(h);
    p.got.push_back("x");
  });
  p.write("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n", {socket.get()});
  CHECK(p.wait([&] { return p.got.size() == 1; }));
  CHECK(static_cast<bool>(kept));
  CHECK_FALSE(second_saw);
}

TEST_CASE("mailbox: a listener may destroy everything") {
  Post p;
  int calls = 0;
  bool held = false;
  SUBCASE("with what was held") { held = true; }
  SUBCASE("with what arrives") {}
  p.write("1\n2\n");
  if (held) CHECK(p.wait([&] { return p.box->pending() == 2; }));
  auto destroy = [&](const Json&, ReceivedHandle&) {
    ++calls;
    p.channel.reset();
    p.box.reset();
  };
  p.box->listen(destroy);
  p.box->listen(destroy);
  CHECK(p.wait([&] { return calls > 0; }));
  for (int i = 0; i < 10; ++i) p.turn();
  CHECK(calls == 1);
}

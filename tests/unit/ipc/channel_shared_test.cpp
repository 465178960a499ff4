// SPDX-License-Identifier: Apache-2.0
// Sockets that the sender shares with the channel instead of having them duplicated
// (Handle::shared).
#include "tests/unit/ipc/channel_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;

namespace {
constexpr std::string_view kAck = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
constexpr std::string_view kNack = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

std::shared_ptr<const UniqueFd> shared_socket() {
  return std::make_shared<const UniqueFd>(bound_socket(0));
}
}  // namespace

TEST_CASE("channel shared: a shared socket costs no descriptor, and is kept until its ACK") {
  BarePeer p;
  auto socket = shared_socket();
  const auto before = open_descriptors();
  CHECK(p.channel->send(ipc::Json("h"), Handle::native(socket)).value());
  CHECK(open_descriptors() == before);
  CHECK(socket.use_count() == 2);
  CHECK(p.readable().contains("net.Native"));
  p.write(kAck);
  CHECK(p.wait([&] { return socket.use_count() == 1; }));
}

TEST_CASE("channel shared: the channel's end gives it back") {
  BarePeer p;
  auto socket = shared_socket();
  CHECK(p.channel->send(ipc::Json("h"), Handle::native(socket)).value());
  p.channel.reset();
  CHECK(socket.use_count() == 1);
}

TEST_CASE("channel shared: who sent a socket that the peer refuses is told, and nobody else") {
  BarePeer p;
  std::vector<std::string> told;
  auto handlers = p.told.handlers();
  handlers.on_handle_lost = [&](const Error&) { told.emplace_back("all"); };
  p.channel = p.open(std::move(handlers));
  auto socket = shared_socket();
  for (const char* name : {"1", "2", "3"}) {
    auto handle = Handle::native(socket);
    handle.on_lost = [&told, name] { told.emplace_back(name); };
    CHECK(p.channel->send(ipc::Json(name), handle));
  }
  CHECK(p.channel->send(ipc::Json("4"), Handle::native(socket)));
  p.write(std::string(kNack) + std::string(kAck) + std::string(kNack) + std::string(kNack));
  CHECK(p.wait([&] { return told.size() >= 3; }));
  CHECK(told == std::vector<std::string>{"1", "3", "all"});
}

TEST_CASE("channel shared: who is told may destroy the channel") {
  BarePeer p;
  int calls = 0;
  for (int i = 0; i < 2; ++i) {
    auto handle = Handle::native(shared_socket());
    handle.on_lost = [&] {
      ++calls;
      p.channel.reset();
    };
    CHECK(p.channel->send(ipc::Json(i), handle));
  }
  p.write(std::string(kNack) + std::string(kNack));
  CHECK(p.wait([&] { return calls > 0; }));
  for (int i = 0; i < 3; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

TEST_CASE("channel shared: of handles that come together, and one at a time, none waits") {
  BarePeer p;
  int came = 0;
  ipc::Channel::Handlers handlers;
  handlers.on_message = [&](const ipc::Json&, ipc::ReceivedHandle handle) {
    if (handle) ++came;
  };
  p.channel = p.open(std::move(handlers));
  auto socket = bound_socket(0);
  const std::string line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":1}\n";
  auto send = [&](int count) {
    const int until = came + count;
    for (int i = 0; i < count; ++i) p.write(line, {socket.get()});
    CHECK(p.wait([&] { return came == until; }));
  };
  for (int i = 0; i < 40; ++i) send(1);
  for (int i = 0; i < 4; ++i) send(10);
  send(1);
  // Nor what is behind one, cut in a line.
  p.write(line + line.substr(0, 10), {socket.get()});
  p.write(line.substr(10), {socket.get()});
  CHECK(p.wait([&] { return came == 83; }));
}

TEST_CASE("channel shared: an ACK leaves in one write with what the listener sends at once") {
  BarePeer p;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ==
          0);  // keeps writes apart
  UniqueFd peer(ends[1]);
  ipc::Channel::Handlers handlers;
  std::string expected(kAck);
  SUBCASE("it sends") {
    handlers.on_message = [&](const ipc::Json&, ipc::ReceivedHandle) {
      CHECK(p.channel->send(ipc::Json("taken")).value());
    };
    expected += "\"taken\"\n";
  }
  SUBCASE("it sends nothing") {}
  SUBCASE("it destroys the channel") {
    handlers.on_message = [&](const ipc::Json&, ipc::ReceivedHandle) { p.channel.reset(); };
  }
  p.channel = ipc::Channel::open(p.loop, UniqueFd(ends[0]), std::move(handlers)).value();
  auto socket = bound_socket(0);
  const std::string line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":1}\n";
  REQUIRE(send_with(peer.get(), line, {socket.get()}) == static_cast<ssize_t>(line.size()));
  std::string got(256, '\0');
  ssize_t n = 0;
  REQUIRE(p.wait([&] {
    n = ::recv(peer.get(), got.data(), got.size(), MSG_DONTWAIT);
    return n > 0;
  }));
  CHECK(got.substr(0, static_cast<std::size_t>(n)) == expected);
}

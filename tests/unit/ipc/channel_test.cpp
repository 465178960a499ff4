// SPDX-License-Identifier: Apache-2.0
#include "ipc/channel.h"

#include "ipc/cluster_messages.h"
#include "tests/unit/ipc/channel_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Channel;
using ipc::Handle;
using ipc::HandleType;
using ipc::Json;

namespace {

const std::string kAck = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
const std::string kNack = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

bool same_socket(int a, int b) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  socklen_t size = sizeof first;
  ::getsockopt(a, SOL_SOCKET, SO_COOKIE, &first, &size);
  ::getsockopt(b, SOL_SOCKET, SO_COOKIE, &second, &size);
  return first == second;
}

}  // namespace

TEST_CASE("channel: messages of every kind arrive, byte by byte and at once") {
  const std::string text = "{\"a\":\"\xc3\xa9\"}\n1\n\"s\"\r\n [ ] \nnull\ntrue\n";
  BarePeer p;
  SUBCASE("at once") { p.write(text); }
  SUBCASE("byte by byte") {
    for (char c : text) {
      p.write({&c, 1});
      uv_run(p.loop.native(), UV_RUN_NOWAIT);
    }
  }
  CHECK(p.wait([&] { return p.told.messages.size() == 6; }));
  CHECK(p.told.messages ==
        std::vector<std::string>{"{\"a\":\"\xc3\xa9\"}", "1", "\"s\"", "[]", "null", "true"});
}

TEST_CASE("channel: a cmd longer than NODE_ and beginning with it is internal, nothing else is") {
  BarePeer p;
  p.write(
      "{\"cmd\":\"NODE_X\"}\n{\"cmd\":\"NODE_\"}\n{\"cmd\":\"node_x\"}\n{\"cmd\":5}\n[\"NODE_X\"]"
      "\n\"NODE_X\"\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 5; }));
  CHECK(p.told.internals == std::vector<std::string>{"{\"cmd\":\"NODE_X\"}"});
}

TEST_CASE("channel: send writes Node's lines, and refuses a user's message with an internal cmd") {
  BarePeer p;
  CHECK(p.channel->send({{"hello", "world"}}).value());
  CHECK(p.channel->send(Json("text")).value());
  CHECK(p.channel->send(ipc::encode_online(0)).value());
  CHECK(p.channel->send(Json{{"cmd", "NODE_X"}}).error().code() == Errc::invalid_arg_value);
  CHECK(p.channel->send(Json{{"cmd", "NODE_"}}).has_value());
  // The first of a turn leaves at once, the others together.
  CHECK(p.readable() == "{\"hello\":\"world\"}\n");
  uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(p.readable() ==
        "\"text\"\n{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":0}\n{\"cmd\":\"NODE_\"}\n");
}

TEST_CASE("channel: an incomplete last line is dropped at the end") {
  BarePeer p;
  p.write("1\n{\"half\":");
  p.peer.reset();
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.messages == std::vector<std::string>{"1"});
  CHECK(p.told.errors.empty());
  CHECK_FALSE(p.channel->is_connected());
  CHECK(p.channel->send(Json(1)).error().code() == Errc::ipc_channel_closed);
}

TEST_CASE("channel: a peer that closes with our bytes unread is an end and no error") {
  BarePeer p;
  CHECK(p.channel->send(Json("unread")).has_value());
  p.write("1\n");
  p.peer.reset();
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.errors.empty());
  CHECK(p.told.messages.size() == 1);
}

TEST_CASE("channel: what a dead peer had sent is delivered although our write fails first") {
  BarePeer p;
  p.write("1\n2\n");
  p.peer.reset();
  CHECK(p.channel->send(Json("late")).error().code() == Errc::ipc_channel_closed);
  CHECK_FALSE(p.channel->is_connected());
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.messages.size() == 2);
  CHECK(p.told.errors.empty());
}

TEST_CASE(
    "channel: disconnect sends what is queued, then the peer sees the end and we are told once") {
  BarePeer p;
  const std::string big(1 << 20, 'x');
  CHECK_FALSE(p.channel->send(Json(big)).value());
  p.channel->disconnect();
  p.channel->disconnect();
  CHECK_FALSE(p.channel->is_connected());
  CHECK_FALSE(p.channel->send(Json(1)).has_value());
  std::string got;
  CHECK(p.wait([&] {
    got += p.readable();
    return p.told.disconnects == 1;
  }));
  got += p.readable();
  CHECK(got.size() == big.size() + 3);
  CHECK(p.peer_sees_eof());
}

TEST_CASE(
    "channel: disconnect resets no peer whose bytes we did not read, and delivers nothing more") {
  BarePeer p;
  p.write("1\n2\n");
  p.channel->disconnect();
  CHECK(p.told.disconnects == 0);
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.messages.empty());
  CHECK(p.peer_sees_eof());
}

TEST_CASE("channel: disconnect waits for a handle's ACK and sends what is behind it") {
  BarePeer p;
  auto socket = bound_socket(0);
  CHECK(p.channel->send(Json("h"), Handle::server(socket.get())).value());
  CHECK(p.channel->send(Json("after")).value());
  p.channel->disconnect();
  CHECK(p.readable() == "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Server\",\"msg\":\"h\"}\n");
  p.write("\"still delivered\"\n" + kAck);
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.messages.size() == 1);
  CHECK(p.readable() == "\"after\"\n");
}

TEST_CASE(
    "channel: a handle freezes what follows until ACK, and the socket travels with the first "
    "byte") {
  BarePeer p;
  auto socket = bound_socket(0);
  CHECK(p.channel
            ->send(ipc::encode_shared_reply({.seq = 0, .ack = 1, .key = "K"}),
                   Handle::native(socket.get()))
            .value());
  CHECK(p.channel->send(Json(1)).value());
  char first = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec data{&first, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  REQUIRE(::recvmsg(p.peer.get(), &message, MSG_CMSG_CLOEXEC) == 1);
  REQUIRE(CMSG_FIRSTHDR(&message) != nullptr);
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  UniqueFd got(fd);
  CHECK(same_socket(fd, socket.get()));
  CHECK(
      p.readable() ==
      R"("cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_CLUSTER","errno":0,"key":"K","ack":1,"data":null,"seq":0}})"
      "\n");
  p.write(kAck);
  CHECK(p.wait([&] { return p.readable() == "1\n"; }));
}

TEST_CASE("channel: net.Socket is sent four times at most, net.Native once") {
  BarePeer p;
  auto socket = bound_socket(0);
  int expected = 4;
  HandleType type = HandleType::net_socket;
  SUBCASE("net.Socket") {}
  SUBCASE("net.Native") {
    expected = 1;
    type = HandleType::net_native;
  }
  CHECK(p.channel->send(Json("h"), ipc::Handle{.type = type, .fd = socket.get()}).value());
  CHECK(p.channel->send(Json("after")).value());
  std::string all;
  int sent = 0;
  CHECK(p.wait([&] {
    std::string got = p.readable();
    all += got;
    if (got.find("NODE_HANDLE") != std::string::npos) {
      ++sent;
      p.write(kNack);
    }
    return all.ends_with("\"after\"\n");
  }));
  CHECK(sent == expected);
}

TEST_CASE("channel: only sockets travel, and the dgram type is the socket's") {
  BarePeer p;
  UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(p.channel->send(Json(1), Handle::native(null.get())).error().code() ==
        Errc::invalid_handle_type);
  CHECK(p.channel->send(Json(1), Handle::native(-1)).error().code() == Errc::invalid_handle_type);
  UniqueFd udp(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  CHECK(p.channel->send(Json(1), Handle::udp(udp.get())).value());
  CHECK(p.readable() ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"dgram.Socket\",\"msg\":1,\"dgramType\":\"udp6\"}\n");
}

TEST_CASE("channel: a handle that arrives is acknowledged and delivered with its message") {
  BarePeer p;
  auto one = bound_socket(0);
  auto two = bound_socket(0);
  auto line = [](const char* m) {
    return "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":" + std::string(m) + "}\n";
  };
  p.write("1\n");
  p.write(line("\"m1\""), {one.get()});
  p.write(line("{\"cmd\":\"NODE_CLUSTER\"}"), {two.get()});
  p.write("2\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 3; }));
  CHECK(p.told.messages == std::vector<std::string>{"1", "\"m1\"", "2"});
  CHECK(p.told.internals.size() == 1);
  REQUIRE(p.told.fds.size() == 2);
  CHECK(same_socket(p.told.fds[0].get(), one.get()));
  CHECK(same_socket(p.told.fds[1].get(), two.get()));
  CHECK((::fcntl(p.told.fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(p.readable() == kAck + kAck);
}

TEST_CASE(
    "channel: a NODE_HANDLE whose line comes in pieces keeps its socket, whatever comes before") {
  const std::string line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":\"m\"}\n";
  auto socket = bound_socket(0);
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    BarePeer p;
    p.write("0\n");
    p.write(line.substr(0, cut), {socket.get()});
    uv_run(p.loop.native(), UV_RUN_NOWAIT);
    p.write(line.substr(cut));
    REQUIRE(p.wait([&] { return p.told.messages.size() == 2; }));
    REQUIRE(p.told.fds.size() == 1);
    REQUIRE(same_socket(p.told.fds[0].get(), socket.get()));
  }
}

TEST_CASE("channel: a NODE_HANDLE without a socket is refused and not delivered") {
  BarePeer p;
  p.write("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":\"m\"}\n1\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
  CHECK(p.told.messages[0] == "1");
  CHECK(p.readable() == kNack);
}

TEST_CASE("channel: a nested NODE_HANDLE is one handle with one acknowledgement") {
  BarePeer p;
  auto socket = bound_socket(0);
  p.write(
      R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_HANDLE","type":"net.Socket","msg":"m"}})"
      "\n",
      {socket.get()});
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
  CHECK(p.told.messages[0] == "\"m\"");
  CHECK(p.told.fds.size() == 1);
  CHECK(p.readable() == kAck);
}

TEST_CASE("channel: back-pressure is told at 128 KiB and the queue's limit refuses") {
  BarePeer p({.max_message = 1 << 20, .max_queued = 400 * 1024});
  const Json message(std::string(16 * 1024, 'x'));
  bool slow = false;
  int queued = 0;
  Result<bool> result = true;
  while ((result = p.channel->send(message))) {
    slow = slow || !*result;
    REQUIRE(++queued < 1000);
  }
  CHECK(slow);
  CHECK(result.error().errno_value() == ENOBUFS);
  CHECK(p.channel->send(Json(std::string(2 << 20, 'x'))).error().errno_value() == EMSGSIZE);
  std::size_t lines = 0;
  CHECK(p.wait([&] {
    for (char c : p.readable()) lines += c == '\n';
    return lines == static_cast<std::size_t>(queued);
  }));
  CHECK(p.channel->send(message).value());
}

TEST_CASE("channel: it may be destroyed in each of its callbacks") {
  BarePeer p;
  std::optional<Channel> channel;
  int calls = 0;
  auto destroy = [&] {
    ++calls;
    channel.reset();
  };
  Channel::Handlers handlers;
  std::string input = "1\n2\n";
  SUBCASE("on_message") {
    handlers.on_message = [&](const Json&, ipc::ReceivedHandle) { destroy(); };
  }
  SUBCASE("on_internal") {
    input = "{\"cmd\":\"NODE_X\"}\n{\"cmd\":\"NODE_X\"}\n";
    handlers.on_internal = [&](const Json&, ipc::ReceivedHandle) { destroy(); };
  }
  SUBCASE("on_error") {
    input = "garbage\n1\n";
    handlers.on_error = [&](const Error&) { destroy(); };
    handlers.on_disconnect = [&] { calls += 100; };
  }
  SUBCASE("on_disconnect") {
    handlers.on_disconnect = destroy;
    input = "garbage\n";
  }
  channel = p.open(std::move(handlers));
  p.write(input);
  CHECK(p.wait([&] { return calls > 0; }));
  uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(calls == 1);
  char c = 0;
  CHECK(::recv(p.peer.get(), &c, 1, 0) <= 0);
}

TEST_CASE("channel: a new one may be assigned over it in its own callback") {
  BarePeer p;
  int calls = 0;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json&, ipc::ReceivedHandle) {
    ++calls;
    p.channel = p.open(p.told.handlers());
  };
  p.channel = p.open(std::move(handlers));
  p.write("1\n2\n");
  CHECK(p.wait([&] { return calls == 1; }));
  p.write("3\n");
  CHECK(p.wait([&] { return p.told.messages.size() == 1; }));
}

TEST_CASE("channel: an unreferenced one lets the loop end, a referenced one does not") {
  BarePeer p;
  p.channel->unref();
  CHECK(uv_loop_alive(p.loop.native()) == 0);
  p.channel->ref();
  CHECK(uv_loop_alive(p.loop.native()) != 0);
}

TEST_CASE("channel: the inherited one is taken from the environment, which forgets it") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  UniqueFd other(ends[1]);
  ::setenv("NODE_CHANNEL_FD", std::to_string(ends[0]).c_str(), 1);
  ::setenv("NODE_CHANNEL_SERIALIZATION_MODE", "json", 1);
  ::setenv("NODE_UNIQUE_ID", "7", 1);
  std::string id;
  auto fd = ipc::take_inherited_channel(&id);
  REQUIRE(fd.has_value());
  CHECK(fd->get() == ends[0]);
  CHECK(id == "7");
  CHECK((::fcntl(ends[0], F_GETFD) & FD_CLOEXEC) != 0);
  for (const char* name :
       {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"}) {
    CHECK(std::getenv(name) == nullptr);
  }
  auto none = ipc::take_inherited_channel(nullptr);
  REQUIRE(none.has_value());
  CHECK_FALSE(static_cast<bool>(*none));
}

TEST_CASE("channel: an inherited one that is no socket, or not json, is refused with its reason") {
  for (const char* number : {"x", "-1", "1000", "3x"}) {
    ::setenv("NODE_CHANNEL_FD", number, 1);
    CAPTURE(number);
    CHECK_FALSE(ipc::take_inherited_channel(nullptr).has_value());
  }
  auto socket = bound_socket(0);
  ::setenv("NODE_CHANNEL_FD", std::to_string(socket.get()).c_str(), 1);
  ::setenv("NODE_CHANNEL_SERIALIZATION_MODE", "advanced", 1);
  auto refused = ipc::take_inherited_channel(nullptr);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message().find("'advanced'") != std::string::npos);
}

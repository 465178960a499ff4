// SPDX-License-Identifier: Apache-2.0
// What send() returns and tells: back-pressure as Node's, receipts, lost handles, pauses.
#include "tests/unit/ipc/channel_fixture.h"

#include <algorithm>
#include <cerrno>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Channel;
using ipc::Handle;
using ipc::Json;

namespace {

const std::string kAck = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
const std::string kNack = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

// Notes each receipt as "name" or "name!code".
Channel::Sent note(std::vector<std::string>& told, std::string name) {
  return [&told, name = std::move(name)](const Error* error) {
    told.push_back(error == nullptr ? name : name + "!" + error->name());
  };
}

// unix(7) exempts who has one of these.
void without_resource_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2];
  REQUIRE(::syscall(SYS_capget, &header, sets) == 0);
  for (auto capability : {CAP_SYS_RESOURCE, CAP_SYS_ADMIN}) {
    sets[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
  }
  REQUIRE(::syscall(SYS_capset, &header, sets) == 0);
}

}  // namespace

TEST_CASE("channel send: receipts come from the loop, in the order of the sends") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<std::string> told;
  CHECK(p.channel->send(Json(1), note(told, "1")).value());
  CHECK(p.channel->send(Json(2), note(told, "2")).value());
  CHECK(p.channel->send(Json("h"), Handle::server(socket.get()), note(told, "h")).value());
  CHECK(p.channel->send(Json(3), note(told, "3")).value());
  CHECK(told.empty());
  CHECK(p.wait([&] { return told.size() == 2; }));
  for (int i = 0; i < 5; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(told == std::vector<std::string>{"1", "2"});
  p.write(kAck);
  CHECK(p.wait([&] { return told.size() == 4; }));
  CHECK(told == std::vector<std::string>{"1", "2", "h", "3"});
}

TEST_CASE("channel send: what never left is told with the error, before the end") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<std::string> told;
  Channel::Handlers handlers;
  handlers.on_disconnect = [&] { told.push_back("end"); };
  p.channel = p.open(std::move(handlers));
  CHECK(p.channel->send(Json("h"), Handle::server(socket.get()), note(told, "h")).value());
  CHECK(p.channel->send(Json(1), note(told, "1")).value());
  p.peer.reset();
  CHECK(p.wait([&] { return told.size() == 3; }));
  CHECK(told ==
        std::vector<std::string>{"h!ERR_IPC_CHANNEL_CLOSED", "1!ERR_IPC_CHANNEL_CLOSED", "end"});
  CHECK_FALSE(p.channel->send(Json(2), note(told, "2")).has_value());
  for (int i = 0; i < 5; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(told.size() == 3);
  CHECK(p.channel->fd() == -1);
  CHECK_FALSE(p.channel->disconnect());
}

TEST_CASE("channel send: behind a handle only the first message is told to go on, as in Node") {
  BarePeer p;
  auto socket = bound_socket(0);
  CHECK(p.channel->send(Json("h"), Handle::server(socket.get())).value());
  CHECK(p.channel->send(Json(1)).value());
  CHECK_FALSE(p.channel->send(Json(2)).value());
  CHECK_FALSE(p.channel->send(Json("h2"), Handle::server(socket.get())).value());
  CHECK_FALSE(p.channel->send(Json(3)).value());
  CHECK(p.channel->queued() > 0);
  p.write(kAck);
  std::string got;
  CHECK(p.wait([&] { return (got += p.readable()).contains("\"h2\"}"); }));
  CHECK_FALSE(p.channel->send(Json(4)).value());  // 3 and this one wait behind h2
  p.write(kAck);
  CHECK(p.wait([&] { return (got += p.readable()).ends_with("3\n4\n"); }));
  CHECK(p.channel->send(Json(5)).value());
  CHECK(p.channel->queued() == 0);
}

TEST_CASE("channel send: a refused net.Socket is lost after four times, and the queue goes on") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<std::string> told;
  Channel::Handlers handlers;
  handlers.on_handle_lost = [&](const Error&) { told.push_back("lost"); };
  p.channel = p.open(std::move(handlers));
  CHECK(p.channel->send(Json("h"), Handle::socket(socket.get()), note(told, "h")).value());
  CHECK(p.channel->send(Json("after"), note(told, "after")).value());
  for (int i = 0; i < 4; ++i) {
    CHECK(p.wait([&] { return p.readable().contains("NODE_HANDLE"); }));
    p.write(kNack);
  }
  CHECK(p.wait([&] { return told.size() == 3; }));
  CHECK(told == std::vector<std::string>{"lost", "h!", "after"});
  CHECK(p.readable() == "\"after\"\n");
}

TEST_CASE("channel send: a burst of handles leaves 16 at a time, and is told in its order") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<std::string> told;
  std::vector<std::string> expected;
  std::vector<bool> go_on;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    go_on.push_back(
        p.channel->send(Json(i), Handle::socket(socket.get()), note(told, expected[i])).value());
  }
  std::vector<bool> as_node(20, true);  // the first that waits is told to go on, too
  for (std::size_t i = 17; i < 20; ++i) as_node[i] = false;
  CHECK(go_on == as_node);
  auto lines = [&] {
    auto got = p.readable();
    return std::count(got.begin(), got.end(), '\n');
  };
  CHECK(lines() == 1);  // a read ends at a descriptor
  for (int i = 1; i < 16; ++i) CHECK(lines() == 1);
  CHECK(lines() == 0);
  p.write(kAck);
  CHECK(p.wait([&] { return lines() == 1; }));
  p.channel->disconnect();
  for (int i = 0; i < 3; ++i) p.write(kAck);
  for (int i = 0; i < 3; ++i) CHECK(p.wait([&] { return lines() == 1; }));
  for (int i = 0; i < 15; ++i) p.write(kAck);
  CHECK(p.wait([&] { return told.size() == 19; }));
  CHECK_FALSE(p.told.disconnects);
  p.write(kAck);
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(told == expected);
}

TEST_CASE("channel send: a socket that is lost while others are under way is told in its place") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<std::string> told;
  Channel::Handlers handlers;
  handlers.on_handle_lost = [&](const Error&) { told.push_back("lost"); };
  p.channel = p.open(std::move(handlers));
  for (const char* name : {"1", "2", "3"}) {
    CHECK(p.channel->send(Json(name), Handle::socket(socket.get(), "key"), note(told, name)));
  }
  CHECK(p.channel->send(Json("after"), note(told, "after")).value());
  p.write(kNack + kAck + kNack);
  auto comes = [&](const char* text) {
    return p.wait([&] { return p.readable().contains(text); });
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(comes("\"msg\":\"1\""));
    CHECK(told.empty());
    p.write(kNack);
  }
  CHECK(comes("\"msg\":\"3\""));
  CHECK(p.wait([&] { return told.size() == 3; }));
  for (int i = 0; i < 2; ++i) {
    p.write(kNack);
    CHECK(comes("\"msg\":\"3\""));
  }
  p.write(kNack);
  CHECK(comes("\"after\"\n"));
  CHECK(p.wait([&] { return told.size() == 6; }));
  CHECK(told == std::vector<std::string>{"lost", "1!", "2", "lost", "3!", "after"});
  // One of the three is counted, not those that were lost.
  std::optional<std::size_t> count;
  p.channel->count_sockets("key", [&](Result<std::size_t> c) { count = c.value(); });
  CHECK(comes("NODE_SOCKET_GET_COUNT"));
  p.write("{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"key\",\"count\":1}\n");
  CHECK(p.wait([&] { return count.has_value(); }));
}

TEST_CASE("channel send: sockets that were all lost are none of their server's") {
  BarePeer p;
  auto socket = bound_socket(0);
  for (int i = 0; i < 3; ++i) {
    CHECK(p.channel->send(Json(i), Handle::socket(socket.get(), "key")).value());
  }
  for (int i = 0; i < 12; ++i) {
    CHECK(p.wait([&] { return p.readable().contains("NODE_HANDLE"); }));
    p.write(kNack);
  }
  CHECK(p.channel->send(Json("after")).has_value());
  CHECK(p.wait([&] { return p.readable().contains("after"); }));
  bool closed = false;
  p.channel->when_sockets_closed("key", [&] { closed = true; });
  CHECK(p.wait([&] { return closed; }));
  CHECK(p.readable().empty());
}

TEST_CASE("channel send: the channel may be destroyed by the first of several lost handles") {
  BarePeer p;
  auto socket = bound_socket(0);
  int calls = 0;
  Channel::Handlers handlers;
  handlers.on_handle_lost = [&](const Error&) {
    ++calls;
    p.channel.reset();
  };
  p.channel = p.open(std::move(handlers));
  CHECK(p.channel->send(Json(1), Handle::socket(socket.get())).value());
  CHECK(p.channel->send(Json(2), Handle::native(socket.get())).value());
  p.write(kNack + kNack);  // the second is lost now, and told after the first
  for (int i = 0; i < 3; ++i) {
    CHECK(p.wait([&] { return p.readable().contains("\"msg\":1"); }));
    CHECK(calls == 0);
    p.write(kNack);
  }
  CHECK(p.wait([&] { return calls > 0; }));
  for (int i = 0; i < 5; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

TEST_CASE("channel send: a handle waits while the user's descriptors under way are too many") {
  without_resource_capabilities();
  rlimit few{256, 256};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  BarePeer p;
  auto socket = bound_socket(0);
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  UniqueFd full(ends[0]);
  UniqueFd unread(ends[1]);
  int under_way = 0;
  while (send_with(full.get(), "x", {socket.get()}) == 1) REQUIRE(++under_way < 2000);
  REQUIRE(errno == ETOOMANYREFS);
  std::vector<std::string> told;
  CHECK(p.channel->send(Json("h"), Handle::server(socket.get()), note(told, "h")).value());
  CHECK(p.channel->send(Json("h2"), Handle::server(socket.get()), note(told, "h2")).has_value());
  for (int i = 0; i < 5; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(p.channel->is_connected());
  CHECK(p.readable().empty());
  unread.reset();
  for (int i = 0; i < 2; ++i) {
    CHECK(p.wait([&] { return p.readable().contains("NODE_HANDLE"); }));
    p.write(kAck);
  }
  CHECK(p.wait([&] { return told.size() == 2; }));
  CHECK(told == std::vector<std::string>{"h", "h2"});
}

TEST_CASE("channel send: a burst of one turn keeps its order, also at disconnect and destruction") {
  BarePeer p;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    CHECK(p.channel->send(Json(i)).value());
    expected += std::to_string(i) + "\n";
  }
  SUBCASE("disconnect") { CHECK(p.channel->disconnect()); }
  SUBCASE("destruction") { p.channel.reset(); }
  SUBCASE("the loop") { uv_run(p.loop.native(), UV_RUN_NOWAIT); }
  CHECK(p.readable() == expected);
}

TEST_CASE("channel send: 100 MiB to a peer that does not read are kept once, and arrive in order") {
  BarePeer p;
  const std::string filler(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) CHECK(p.channel->send(Json{{"i", i}, {"x", filler}}).has_value());
  CHECK(p.channel->queued() > 99 << 20);
  CHECK(p.channel->queued() < 101 << 20);
  std::string got;
  int next = 0;
  CHECK(p.wait([&] {
    got += p.readable();
    for (std::size_t end = 0; (end = got.find('\n')) != std::string::npos; got.erase(0, end + 1)) {
      if (got.starts_with("{\"i\":" + std::to_string(next) + ",")) ++next;
    }
    return next == 100;
  }));
  CHECK(p.channel->queued() == 0);
}

TEST_CASE("channel send: a message of 64 MiB travels") {
  BarePeer p;
  Loop& loop = p.loop;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  auto left = Channel::open(loop, UniqueFd(ends[0]), {});
  std::size_t size = 0;
  Channel::Handlers handlers;
  handlers.on_message = [&](const Json& m, const ipc::ReceivedHandle&) {
    size = m.get_ref<const std::string&>().size();
  };
  auto right = Channel::open(loop, UniqueFd(ends[1]), std::move(handlers));
  REQUIRE((left.has_value() && right.has_value()));
  CHECK_FALSE(left->send(Json(std::string(64 << 20, 'x'))).value());
  CHECK(p.wait([&] { return size == 64 << 20; }));
}

TEST_CASE("channel send: a paused channel delivers nothing, not even its end, until it goes on") {
  BarePeer p;
  Channel::Handlers handlers = p.told.handlers();
  handlers.on_message = [&](const Json& m, const ipc::ReceivedHandle&) {
    p.told.messages.push_back(m.dump());
    if (m == 2) p.channel->pause();
  };
  p.channel = p.open(std::move(handlers));
  p.write("1\n2\n3\n4\n");
  p.peer.reset();
  CHECK(p.wait([&] { return p.told.messages.size() == 2; }));
  for (int i = 0; i < 10; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(p.told.messages.size() == 2);
  CHECK(p.told.disconnects == 0);
  p.channel->resume();
  CHECK(p.told.messages.size() == 2);
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.messages == std::vector<std::string>{"1", "2", "3", "4"});
}

TEST_CASE("channel send: a receipt may destroy the channel") {
  BarePeer p;
  int calls = 0;
  auto destroy = [&](const Error*) {
    ++calls;
    p.channel.reset();
  };
  CHECK(p.channel->send(Json(1), destroy).value());
  CHECK(p.channel->send(Json(2), destroy).value());
  SUBCASE("after the write") {}
  SUBCASE("at the end") { p.peer.reset(); }
  CHECK(p.wait([&] { return calls > 0; }));
  for (int i = 0; i < 10; ++i) uv_run(p.loop.native(), UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

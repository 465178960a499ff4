// SPDX-License-Identifier: Apache-2.0
// Sockets with a key, counted over the channel (node-ipc 3.3).
#include "tests/unit/ipc/channel_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Channel;
using ipc::Handle;
using ipc::Json;

namespace {

const std::string kAck = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
const std::string kKeyed =
    "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":\"m\",\"key\":\"K\"}\n";
const std::string kGetCount = "{\"cmd\":\"NODE_SOCKET_GET_COUNT\",\"key\":\"K\"}\n";
const std::string kNotify = "{\"cmd\":\"NODE_SOCKET_NOTIFY_CLOSE\",\"key\":\"K\"}\n";
const std::string kAllClosed = "{\"cmd\":\"NODE_SOCKET_ALL_CLOSED\",\"key\":\"K\"}\n";

std::string count_line(int count) {
  return "{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"K\",\"count\":" + std::to_string(count) + "}\n";
}

// A receiver that keeps what counts.
struct Receiver : BarePeer {
  std::vector<std::shared_ptr<void>> counted;

  Receiver() {
    Channel::Handlers handlers = told.handlers();
    handlers.on_message = [this](const Json&, const ipc::ReceivedHandle& h) {
      counted.push_back(h.counted);
    };
    channel = open(std::move(handlers));
  }
  std::string answers(std::size_t size) {
    std::string got;
    CHECK(wait([&] { return (got += readable()).size() >= size; }));
    return got;
  }
};

}  // namespace

TEST_CASE("socket list: the receiver counts those that live, and tells when none is left") {
  Receiver p;
  auto socket = bound_socket(0);
  p.write(kKeyed, {socket.get()});
  p.write(kKeyed, {socket.get()});
  p.write(kGetCount + kNotify);
  CHECK(p.answers(2 * kAck.size() + count_line(2).size()) == kAck + kAck + count_line(2));
  p.counted.pop_back();
  p.write(kGetCount);
  CHECK(p.answers(count_line(1).size()) == count_line(1));
  p.counted.clear();
  CHECK(p.answers(kAllClosed.size()) == kAllClosed);
  p.write(kGetCount + kNotify);
  CHECK(p.answers(1 + count_line(0).size()) == count_line(0) + kAllClosed);
  CHECK(p.told.internals.empty());
}

TEST_CASE("socket list: a counted socket may outlive its channel") {
  Receiver p;
  auto socket = bound_socket(0);
  p.write(kKeyed, {socket.get()});
  p.write(kNotify);
  CHECK(p.wait([&] { return p.counted.size() == 1; }));
  uv_run(p.loop.native(), UV_RUN_NOWAIT);
  p.channel.reset();
  p.counted.clear();
}

TEST_CASE("socket list: the sender asks behind the socket, and each question has its own answer") {
  BarePeer p;
  auto socket = bound_socket(0);
  std::vector<std::string> told;
  auto count = [&](const char* name) {
    p.channel->count_sockets("K", [&told, name](Result<std::size_t> n) {
      told.push_back(name + (n ? std::to_string(*n) : n.error().name()));
    });
  };
  count("never sent ");
  CHECK(told.empty());
  CHECK(p.wait([&] { return told.size() == 1; }));
  CHECK(p.channel->send(Json("m"), Handle::socket(socket.get(), "K")).value());
  CHECK(p.readable() == kKeyed);
  count("first ");
  count("second ");
  p.write(kAck);
  std::string got;
  CHECK(p.wait([&] { return (got += p.readable()) == kGetCount; }));
  p.write(count_line(1));
  CHECK(p.wait([&] { return told.size() == 2 && (got += p.readable()) == kGetCount + kGetCount; }));
  p.write(count_line(5) + count_line(9));
  CHECK(p.wait([&] { return told.size() == 3; }));
  count("third ");
  p.peer.reset();
  CHECK(p.wait([&] { return told.size() == 4; }));
  count("closed ");
  CHECK(p.wait([&] { return told.size() == 5; }));
  CHECK(told == std::vector<std::string>{"never sent 0", "first 1", "second 5",
                                         "third ERR_CHILD_CLOSED_BEFORE_REPLY",
                                         "closed ERR_CHILD_CLOSED_BEFORE_REPLY"});
}

TEST_CASE("socket list: the sender is told when the peer has none left, or has gone") {
  BarePeer p;
  auto socket = bound_socket(0);
  int closed = 0;
  p.channel->when_sockets_closed("K", [&] { ++closed; });
  CHECK(closed == 0);
  CHECK(p.wait([&] { return closed == 1; }));
  CHECK(p.channel->send(Json("m"), Handle::socket(socket.get(), "K")).value());
  p.write(kAck);
  p.channel->when_sockets_closed("K", [&] { ++closed; });
  std::string got;
  CHECK(p.wait([&] { return (got += p.readable()) == kKeyed + kNotify; }));
  SUBCASE("none left") { p.write(kAllClosed); }
  SUBCASE("gone") { p.peer.reset(); }
  CHECK(p.wait([&] { return closed == 2; }));
}

TEST_CASE("socket list: a socket that the peer refused is not waited for") {
  BarePeer p;
  auto socket = bound_socket(0);
  int closed = 0;
  std::optional<std::size_t> count;
  CHECK(p.channel->send(Json("m"), Handle::socket(socket.get(), "K")).value());
  p.channel->when_sockets_closed("K", [&] { ++closed; });
  p.channel->count_sockets("K", [&](Result<std::size_t> n) { count = n.value(); });
  for (int i = 0; i < 4; ++i) {
    CHECK(p.wait([&] { return p.readable().contains("NODE_HANDLE"); }));
    p.write("{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
  }
  CHECK(p.wait([&] { return closed == 1 && count.has_value(); }));
  CHECK(count == 0);
}

TEST_CASE("socket list: malformed notes and unknown handle types end the channel with an error") {
  BarePeer p;
  auto socket = bound_socket(0);
  SUBCASE("no key") { p.write("{\"cmd\":\"NODE_SOCKET_GET_COUNT\"}\n"); }
  SUBCASE("no count") { p.write("{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"K\"}\n"); }
  SUBCASE("a negative count") {
    p.write("{\"cmd\":\"NODE_SOCKET_COUNT\",\"key\":\"K\",\"count\":-1}\n");
  }
  SUBCASE("unknown type") {
    p.write("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Pony\",\"msg\":1}\n", {socket.get()});
  }
  CHECK(p.wait([&] { return p.told.disconnects == 1; }));
  CHECK(p.told.errors.size() == 1);
  CHECK(p.told.messages.empty());
}

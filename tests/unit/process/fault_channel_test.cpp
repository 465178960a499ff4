// SPDX-License-Identifier: Apache-2.0
// Channels under stress: children killed or stopped at the worst moment, many and large messages,
// messages in pieces.
#include "tests/unit/process/fault_support.h"
#include "tests/unit/process/interop_support.h"

#include <nlohmann/json.hpp>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::ReceivedHandle;

namespace {

/// Whether nobody holds the other end any more.
bool sees_end(int fd) {
  char c = 0;
  return is_ready(fd) && ::recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

}  // namespace

// Takes the handle out of the channel, tells so, and never acknowledges.
TEST_CASE("helper takes a handle and hangs" * doctest::skip()) {
  std::array<char, 4096> space{};
  std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec data{space.data(), space.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  CHECK(::recvmsg(3, &message, 0) > 0);
  CHECK(message.msg_controllen >= CMSG_LEN(sizeof(int)));
  CHECK(::send(3, "\"has it\"\n", 9, MSG_NOSIGNAL) == 9);
  while (true) ::pause();
}

TEST_CASE("fault: a child killed with a handle in flight: the sender learns, the socket closes") {
  const auto before = open_descriptors();
  for (const char* moment : {"unread", "read", "stopped"}) {
    CAPTURE(moment);
    const bool read = moment == std::string_view("read");
    Loop loop;
    Child child;
    if (read) {
      fork_helper(child, loop, "helper takes a handle and hangs");
    } else {
      child.fork_shell(loop, "exec sleep 1000");
    }
    child.receive();
    if (moment == std::string_view("stopped")) CHECK(child->kill(SIGSTOP).value());
    Connection connection;
    std::vector<std::string> sent;
    auto note = [&](const Error* e) { sent.push_back(e == nullptr ? "ok" : e->name()); };
    CHECK(child->send(Json("h"), Handle::socket(connection.accepted.get(), "4:x:0"), note).value());
    CHECK(child->send(Json("behind"), note).value());
    connection.accepted.reset();
    if (read) REQUIRE(run_until(loop, [&] { return !child.messages.empty(); }));
    std::optional<bool> none_left;
    child->channel()->when_sockets_closed("4:x:0", [&] { none_left = true; });
    std::string count;
    child->channel()->count_sockets(
        "4:x:0", [&](Result<std::size_t> n) { count = n ? std::to_string(*n) : n.error().name(); });
    CHECK(child->kill(SIGKILL).value());
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    CHECK(child.exit == process::Exit{.signal = SIGKILL});
    REQUIRE(sent.size() == 2);
    CHECK(sent[0] != "ok");
    CHECK(sent[1] != "ok");
    CHECK(none_left.has_value());
    CHECK(count == "ERR_CHILD_CLOSED_BEFORE_REPLY");
    CHECK(sees_end(connection.client.get()));
  }
  CHECK(open_descriptors() == before);
  CHECK(is_childless());
}

TEST_CASE("fault: 100 MiB queued to a stopped child arrive whole and in order when it goes on") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    let next = 0, bytes = 0;
    process.on('message', (m) => {
      if (m === 'end') { process.send({next, bytes}); process.disconnect(); return; }
      if (m.n !== next || m.body.length !== 1048576) process.send({wrong: m.n, next});
      next++; bytes += m.body.length;
    });
    process.send('ready');)");
  child.receive();
  REQUIRE(run_until(loop, [&] { return !child.messages.empty(); }));
  CHECK(child->kill(SIGSTOP).value());
  Json m{{"n", 0}, {"body", std::string(1 << 20, 'x')}};
  bool slow = false;
  for (int n = 0; n < 100; ++n) {
    m["n"] = n;
    slow = !child->send(m).value();
  }
  CHECK(slow);
  CHECK(child->send(Json("end")).has_value());
  CHECK(child->channel()->queued() > std::size_t{98} << 20);
  CHECK(child->kill(SIGCONT).value());
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.messages ==
        std::vector<std::string>{"\"ready\"", R"({"bytes":104857600,"next":100})"});
  CHECK(child.exit == process::Exit{.code = 0});
}

TEST_CASE("fault: 1,000,000 messages arrive, each once and in order") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    let next = 0;
    process.on('message', (m) => {
      if (m !== next) { process.send({wrong: m, next}); process.exit(1); }
      if (++next === 1000000) { process.send(next); process.disconnect(); }
    });)");
  child.receive();
  int n = 0;
  std::function<void()> more = [&] {
    bool go_on = true;
    while (n < 1000000 && go_on) {
      auto sent = child->send(
          Json(n), n % 1000 == 999 ? [&](const Error*) { more(); } : ipc::Channel::Sent{});
      REQUIRE(sent.has_value());
      go_on = ++n % 1000 != 0;
    }
  };
  more();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.messages == std::vector<std::string>{"1000000"});
  CHECK(child.exit == process::Exit{.code = 0});
}

TEST_CASE("fault: 100,000 messages from Node arrive, each once and in order") {
  if (!has_node()) return;
  Loop loop;
  Child child;
  child.fork_node(loop, R"(
    let n = 0;
    const more = () => {
      for (let i = 0; i < 1000; i++) process.send(n++, n % 1000 || n === 100000 ? undefined : more);
    };
    more();)");
  int next = 0;
  int wrong = 0;
  child->on_message([&](const Json& m) { wrong += m == next++ ? 0 : 1; });
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(next == 100000);
  CHECK(wrong == 0);
}

TEST_CASE("fault: messages split at every byte arrive as if they were whole") {
  const std::string plain = "{\"text\":\"\xc3\xa9\xf0\x9f\x90\x98\\n\\ud83d\\ude00\"}\n";
  const std::string handle = R"({"cmd":"NODE_HANDLE","type":"net.Server","msg":["m"]})"
                             "\n";
  const std::string last = "\"last\"\n";
  const std::string all = plain + handle + last;
  const std::size_t begin = plain.size();  // the descriptor travels with the first byte of `handle`
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    CAPTURE(cut);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd peer(ends[1]);
    ::setenv("NODE_CHANNEL_FD", std::to_string(ends[0]).c_str(), 1);
    Loop loop;
    auto parent = process::parent(loop);
    REQUIRE(parent.has_value());
    REQUIRE(parent->has_value());
    std::vector<std::string> told;
    (*parent)->on_message([&](const Json& m, ReceivedHandle& h) {
      told.push_back(m.dump(-1, ' ', true) + (h ? " +" : ""));
    });
    auto socket = bound_socket(1);
    auto write = [&](std::size_t from, std::size_t to) {
      if (from == to) return;
      std::vector<int> fds;
      if (from == begin) fds.push_back(socket.get());
      REQUIRE(send_with(peer.get(), all.substr(from, to - from), fds) ==
              static_cast<ssize_t>(to - from));
      uv_run(loop.native(), UV_RUN_NOWAIT);
      uv_run(loop.native(), UV_RUN_NOWAIT);
    };
    if (cut == all.size()) {  // each byte for itself
      for (std::size_t i = 0; i < all.size(); ++i) write(i, i + 1);
    } else {
      write(0, std::min(cut, begin));
      write(std::min(cut, begin), begin);
      write(begin, std::max(cut, begin));
      write(std::max(cut, begin), all.size());
    }
    REQUIRE(run_until(loop, [&] { return told.size() >= 3; }));
    CHECK(told == std::vector<std::string>{R"({"text":"\u00e9\ud83d\udc18\n\ud83d\ude00"})",
                                           "[\"m\"] +", "\"last\""});
    std::array<char, 64> ack{};
    CHECK(::recv(peer.get(), ack.data(), ack.size(), MSG_DONTWAIT) == 26);
    CHECK(std::string_view(ack.data(), 26) == "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "process/parent.h"

#include "tests/unit/ipc/channel_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Json;
using process::Parent;

namespace {

// This process as a forked one; `peer` is its parent's end.
struct Forked {
  Loop loop;
  UniqueFd peer;
  std::optional<Parent> parent;

  Forked() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    peer.reset(ends[1]);
    ::setenv("NODE_CHANNEL_FD", std::to_string(ends[0]).c_str(), 1);
    ::setenv("NODE_CHANNEL_SERIALIZATION_MODE", "json", 1);
    ::setenv("NODE_UNIQUE_ID", "3", 1);
    auto opened = process::parent(loop);
    REQUIRE(opened.has_value());
    REQUIRE(opened->has_value());
    parent = std::move(**opened);
  }
  void write(std::string_view text) {
    REQUIRE(send_with(peer.get(), text, {}) == static_cast<ssize_t>(text.size()));
  }
  bool alive() { return uv_loop_alive(loop.native()) != 0; }
  std::string readable() {
    std::string out(1 << 16, '\0');
    ssize_t n = ::recv(peer.get(), out.data(), out.size(), MSG_DONTWAIT);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
};

}  // namespace

TEST_CASE("parent: there is none without a channel, and one only once") {
  Loop loop;
  ::unsetenv("NODE_CHANNEL_FD");
  auto none = process::parent(loop);
  REQUIRE(none.has_value());
  CHECK_FALSE(none->has_value());
  Forked f;
  CHECK(f.parent->unique_id() == "3");
  auto again = process::parent(f.loop);
  REQUIRE(again.has_value());
  CHECK_FALSE(again->has_value());
}

TEST_CASE(
    "parent: serialization 'advanced' is refused with a reason, and the parent sees the end") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  UniqueFd peer(ends[1]);
  ::setenv("NODE_CHANNEL_FD", std::to_string(ends[0]).c_str(), 1);
  ::setenv("NODE_CHANNEL_SERIALIZATION_MODE", "advanced", 1);
  Loop loop;
  auto refused = process::parent(loop);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Errc::unsupported_serialization);
  char c = 0;
  CHECK(::recv(peer.get(), &c, 1, MSG_DONTWAIT) == 0);
}

TEST_CASE("parent: the channel keeps the loop only once somebody listens") {
  Forked f;
  CHECK_FALSE(f.alive());
  f.parent->on_internal([](const Json&, ipc::ReceivedHandle&) {});
  f.parent->on_error([](const Error&) {});
  CHECK_FALSE(f.alive());
  SUBCASE("for messages") {
    f.parent->on_message([](const Json&) {});
  }
  SUBCASE("for the end") {
    f.parent->on_disconnect([] {});
  }
  CHECK(f.alive());
  f.parent->channel()->unref();
  CHECK_FALSE(f.alive());
  f.parent->on_message([](const Json&) {});
  CHECK_FALSE(f.alive());
}

TEST_CASE("parent: unref before the first listener stays") {
  Forked f;
  f.parent->channel()->unref();
  f.parent->on_message([](const Json&) {});
  CHECK_FALSE(f.alive());
  f.parent->channel()->ref();
  CHECK(f.alive());
}

TEST_CASE("parent: what came before the first listener is delivered, also after the end") {
  Forked f;
  f.write("1\n2\n");
  int ends = 0;
  std::vector<std::string> got;
  bool late = false;
  SUBCASE("before") {}
  SUBCASE("after") { late = true; }
  auto listen = [&] { f.parent->on_message([&](const Json& m) { got.push_back(m.dump()); }); };
  f.parent->on_disconnect([&] {
    ++ends;
    if (!late) CHECK(got.size() == 2);
    CHECK_FALSE(f.parent->connected());
    CHECK(f.parent->channel() == nullptr);
  });
  if (!late) listen();
  f.peer.reset();
  CHECK(run_until(f.loop, [&] { return ends == 1; }));
  if (late) listen();
  CHECK(run_until(f.loop, [&] { return got.size() == 2; }));
  CHECK(ends == 1);
  CHECK(f.parent->send(Json(1)).error().code() == Errc::ipc_channel_closed);
  CHECK(f.parent->send(Json(1), ipc::Handle::udp(1)).error().code() == Errc::ipc_channel_closed);
}

TEST_CASE("parent: disconnect sends what is queued; a second one is told to the error listener") {
  Forked f;
  int ends = 0;
  std::vector<std::error_code> errors;
  f.parent->on_disconnect([&] { ++ends; });
  CHECK(f.parent->connected());
  CHECK(f.parent->send({{"hello", "world"}}).value());
  f.parent->disconnect();
  CHECK_FALSE(f.parent->connected());
  f.parent->disconnect();  // nobody listens: nothing happens
  CHECK(run_until(f.loop, [&] { return ends == 1; }));
  CHECK(f.readable() == "{\"hello\":\"world\"}\n");
  f.parent->on_error([&](const Error& e) { errors.push_back(e.code()); });
  f.parent->disconnect();
  CHECK(errors.empty());
  CHECK(run_until(f.loop, [&] { return !errors.empty(); }));
  CHECK(errors == std::vector{make_error_code(Errc::ipc_disconnected)});
  CHECK(ends == 1);
}

TEST_CASE("parent: a parent that breaks the protocol is an error, then the end") {
  Forked f;
  std::string order;
  f.parent->on_error([&](const Error& e) {
    CHECK(e.code() == Errc::protocol);
    order += 'e';
  });
  f.parent->on_disconnect([&] { order += 'd'; });
  f.write("garbage\n");
  CHECK(run_until(f.loop, [&] { return order.size() == 2; }));
  CHECK(order == "ed");
}

TEST_CASE("parent: it may be destroyed, or replaced, by each of its listeners") {
  Forked f;
  int calls = 0;
  auto destroy = [&] {
    ++calls;
    f.parent.reset();
  };
  std::string input = "1\n1\n";
  SUBCASE("message") {
    f.parent->on_message([&](const Json&) { destroy(); });
    f.parent->on_message([&](const Json&) { destroy(); });
  }
  SUBCASE("internal") {
    input = "{\"cmd\":\"NODE_X\"}\n1\n";
    f.parent->on_internal([&](const Json&, ipc::ReceivedHandle&) { destroy(); });
    f.parent->on_message([&](const Json&) { destroy(); });
  }
  SUBCASE("error") {
    input = "garbage\n";
    f.parent->on_error([&](const Error&) { destroy(); });
    f.parent->on_disconnect([&] { destroy(); });
  }
  SUBCASE("disconnect") {
    input = "garbage\n";
    f.parent->on_disconnect([&] { destroy(); });
    f.parent->on_disconnect([&] { destroy(); });
  }
  f.write(input);
  CHECK(run_until(f.loop, [&] { return calls > 0; }));
  for (int i = 0; i < 10; ++i) uv_run(f.loop.native(), UV_RUN_NOWAIT);
  CHECK(calls == 1);
}

// SPDX-License-Identifier: Apache-2.0
// Peers that break the protocol: un-ACKed handles, wrong descriptors, garbage. We never send any of
// it, and survive it by an error event and a closed channel.
#include "tests/unit/process/interop_support.h"

#include <nlohmann/json.hpp>

#include <sys/wait.h>

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::Handle;
using ipc::ReceivedHandle;

namespace {

constexpr std::string_view kAnnounced =
    R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":"socket"})"
    "\n";

/// This program again as a bare child: a skipped case with the channel as descriptor 3.
void fork_helper(Child& child, Loop& loop, const std::string& name,
                 process::ForkOptions options = {}) {
  options.exec_argv = {};
  child.take(process::fork(loop, "--test-case=" + name, {"--no-skip", "--minimal"}, options));
}

/// error, disconnect, exit 0, close, in Node's order; nothing came as a message.
void check_protocol_error(Child& child, Loop& loop) {
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  REQUIRE(child.errors.size() == 1);
  CAPTURE(child.errors[0].message());
  CHECK(child.errors[0].code() == Errc::protocol);
  CHECK_FALSE(child->connected());
  CHECK(child->channel() == nullptr);
  auto at = [&](std::string_view event) {
    return std::find(child.events.begin(), child.events.end(), event) - child.events.begin();
  };
  CHECK(at("error " + child.errors[0].name()) < at("disconnect"));
  CHECK(at("disconnect") < at("close 0"));
  CHECK(at("exit 0") < at("close 0"));
}

}  // namespace

TEST_CASE("abuse: garbage from a child is an error event, a closed channel, exit and close") {
  for (const char* script :
       {"echo garbage >&3", "echo >&3", "echo '{\"a\":1} x' >&3", "printf '{\"a\":\\001}\\n' >&3",
        "printf '\\377\\376\\n' >&3", "head -c 600 /dev/zero | tr '\\0' '[' >&3; echo >&3",
        R"(echo '{"cmd":"NODE_HANDLE","type":"net.Carrier","msg":1}' >&3)",
        R"(echo '{"cmd":"NODE_SOCKET_GET_COUNT"}' >&3)",
        R"(echo '{"cmd":"NODE_SOCKET_COUNT","key":"4:x:0","count":"many"}' >&3)"}) {
    CAPTURE(script);
    Loop loop;
    Child child;
    child.fork_shell(loop, script);
    child.receive();
    check_protocol_error(child, loop);
    CHECK(child.messages.empty());
  }
}

TEST_CASE("abuse: what came before the garbage is delivered, nothing after it") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "printf '\"before\"\\ngarbage\\n\"after\"\\n' >&3");
  child.receive();
  check_protocol_error(child, loop);
  CHECK(child.messages == std::vector<std::string>{"\"before\""});
}

TEST_CASE("abuse: answers that nobody asked for, and a handle that did not come, change nothing") {
  Loop loop;
  Child child;
  child.fork_shell(loop, R"(
    for cmd in NODE_HANDLE_ACK NODE_HANDLE_NACK; do echo "{\"cmd\":\"$cmd\"}" >&3; done
    echo '{"cmd":"NODE_SOCKET_ALL_CLOSED","key":"4:x:0"}' >&3
    echo '{"cmd":"NODE_SOCKET_COUNT","key":"4:x:0","count":7}' >&3
    echo '{"cmd":"NODE_HANDLE","type":"net.Socket","msg":"lost"}' >&3
    read -r answer <&3
    echo "[$answer]" >&3)");
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.errors.empty());
  CHECK(child.messages == std::vector<std::string>{R"([{"cmd":"NODE_HANDLE_NACK"}])"});
  CHECK(child.exit == process::Exit{.code = 0});
}

TEST_CASE("abuse: an incomplete last line is dropped, as in Node") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "printf '\"whole\"\\n\"hal' >&3");
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.errors.empty());
  CHECK(child.messages == std::vector<std::string>{"\"whole\""});
}

TEST_CASE("helper sends a file" * doctest::skip()) {
  UniqueFd file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  CHECK(send_with(3, kAnnounced, {file.get()}) > 0);
}
TEST_CASE("helper sends two descriptors" * doctest::skip()) {
  auto one = udp_socket();
  auto two = udp_socket();
  CHECK(send_with(3, kAnnounced, {one.get(), two.get()}) > 0);
}
TEST_CASE("helper sends an unannounced descriptor" * doctest::skip()) {
  auto one = udp_socket();
  CHECK(send_with(3, "\"plain\"\n", {one.get()}) > 0);
}
TEST_CASE("abuse: wrong descriptors from a child close the channel, and none of them leaks") {
  for (const char* helper : {"helper sends a file", "helper sends two descriptors",
                             "helper sends an unannounced descriptor"}) {
    CAPTURE(helper);
    const auto before = open_descriptors();
    {
      Loop loop;
      Child child;
      fork_helper(child, loop, helper);
      child.receive();
      check_protocol_error(child, loop);
      // Of two descriptors the first is the message's own.
      CHECK(child.handles.size() ==
            (helper == std::string_view("helper sends two descriptors") ? 1 : 0));
    }
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("abuse: what is no socket is never sent") {
  Loop loop;
  Child child;
  child.fork_node(loop, "process.on('message', (m, h) => process.send([m, h === undefined]));");
  child.receive();
  UniqueFd file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  UniqueFd ends[2] = {UniqueFd(pipe[0]), UniqueFd(pipe[1])};
  for (int fd : {file.get(), null.get(), pipe[0], pipe[1]}) {
    auto refused = child->send(Json("x"), Handle::socket(fd));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().name() == "ERR_INVALID_HANDLE_TYPE");
  }
  CHECK_FALSE(child->send(Json("x"), Handle::server(-1)).has_value());
  CHECK(child->send(Json("goes on")).value());
  REQUIRE(run_until(loop, [&] { return !child.messages.empty(); }));
  CHECK(child.messages == std::vector<std::string>{"[\"goes on\",true]"});
  child->disconnect();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.exit == process::Exit{.code = 0});
}

TEST_CASE("abuse: behind a handle that is never acknowledged sends queue up to the limit") {
  const auto before = open_descriptors();
  for (bool connected : {false, true}) {
    CAPTURE(connected);
    Loop loop;
    Child child;
    process::ForkOptions options;
    options.channel_limits.max_queued = 64 * 1024;
    // It reads all and answers nothing.
    child.fork_shell(loop, "exec cat <&3 >/dev/null", options);
    child.receive();
    std::vector<std::string> sent;
    auto note = [&sent](std::string name) {
      return
          [&sent, name](const Error* e) { sent.push_back(name + (e ? " " + e->name() : " ok")); };
    };
    auto udp = udp_socket();
    CHECK(child->send(Json("handle"), Handle::udp(udp.get()), note("handle")).value());
    CHECK(child->send(Json("first"), note("first")).value());
    CHECK_FALSE(child->send(Json("second"), note("second")).value());
    const Json big(std::string(10000, 'x'));
    std::size_t more = 0;
    while (more < 100 && child->send(big)) ++more;
    CHECK(more > 2);
    CHECK(more < 10);
    auto refused = child->send(big);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().errno_value() == ENOBUFS);
    CHECK(child->channel()->queued() <= options.channel_limits.max_queued);
    // As in Node, disconnect() waits for the acknowledgement of what was sent before it.
    if (!connected) child->disconnect();
    CHECK(child->connected() == connected);
    CHECK(child->kill(SIGKILL).value());
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    CHECK(child.saw("disconnect"));
    CHECK(child.saw("exit SIGKILL"));
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].starts_with("handle "));
    CHECK(sent[0] != "handle ok");
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("helper parent of garbage" * doctest::skip()) {
  Loop loop;
  auto parent = process::parent(loop);
  REQUIRE(parent.has_value());
  REQUIRE(parent->has_value());
  std::vector<std::string> told;
  (*parent)->on_message([&](const Json& m) { told.push_back(m.dump()); });
  (*parent)->on_error([&](const Error& e) { told.push_back(e.name()); });
  (*parent)->on_disconnect([&] { told.emplace_back("disconnect"); });
  CHECK(loop.run() == 0);
  CHECK(told.size() >= 2);
  CHECK(told.front() == "\"hello\"");
  CHECK(told.back() == "disconnect");
  CHECK((told.size() == 3) == (std::getenv("GARBAGE") != nullptr));
  CHECK_FALSE((*parent)->connected());
  CHECK_FALSE((*parent)->send(Json(1)).has_value());
}
TEST_CASE("abuse: a child of ours survives a parent that writes garbage, or none of it") {
  for (const char* line : {"garbage\n", "\n", "{\"cmd\":\"NODE_HANDLE\"\n", ""}) {
    CAPTURE(line);
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    process::SpawnOptions options;
    options.stdio = {process::Stdio::ignore, process::Stdio::inherit, process::Stdio::inherit,
                     theirs.get()};
    options.env_merge = {{"NODE_CHANNEL_FD", "3"}};
    if (*line != '\0') options.env_merge.set("GARBAGE", "1");
    Loop loop;
    Child child;
    child.spawn(loop, std::filesystem::read_symlink("/proc/self/exe"),
                {"--test-case=helper parent of garbage", "--no-skip", "--minimal"}, options);
    theirs.reset();
    REQUIRE(send_with(ours.get(), "\"hello\"\n" + std::string(line), {}) > 0);
    if (*line == '\0') ours.reset();
    REQUIRE(run_until(loop, [&] { return child.closed; }));
    CHECK(child.exit == process::Exit{.code = 0});
  }
}

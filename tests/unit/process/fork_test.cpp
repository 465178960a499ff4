// SPDX-License-Identifier: Apache-2.0
// fork, and the channel of a ChildProcess; shells are the children. Node's are in node_child_test.
#include <pronghorn/process/parent.h>

#include "tests/unit/process/process_fixture.h"

using namespace pronghorn;
using namespace pronghorn::test;
using ipc::ReceivedHandle;
using process::Exit;
using process::ForkOptions;
using process::Stdio;

namespace {

Error refusal(const Result<bool>& sent) {
  REQUIRE_FALSE(sent.has_value());
  return sent.error();
}

}  // namespace

TEST_CASE("fork: the child speaks on descriptor 3, and finds it in its environment's last lines") {
  Loop loop;
  Child child;
  child.fork_shell(
      loop,
      "tr '\\0' '\\n' < /proc/$$/environ | tail -n 2 | sed 's/.*/\"&\"/' >&3; read line <&3; "
      "echo \"$line\" >&3",
      {.env_merge = {{"NODE_CHANNEL_FD", "9"}, {"OTHER", "1"}}});
  child.receive();
  CHECK(child->connected());
  REQUIRE(child->channel() != nullptr);
  CHECK(child->send(Json{{"a", 1}}).value());
  CHECK(loop.run() == 0);
  CHECK(child.messages == std::vector<std::string>{"\"NODE_CHANNEL_FD=3\"",
                                                   "\"NODE_CHANNEL_SERIALIZATION_MODE=json\"",
                                                   "{\"a\":1}"});
  CHECK(child.events.front() == "spawn");
  CHECK(child.events.back() == "close 0");
  CHECK(child.saw("disconnect"));
  CHECK(child->channel() == nullptr);
  CHECK_FALSE(child->connected());
}

TEST_CASE("fork: the program gets exec_argv, the module and the arguments") {
  Loop loop;
  Child child;
  child.take(
      process::fork(loop, "module", {"one", "two"},
                    {.argv0 = "zero",
                     .silent = true,
                     .exec_path = "/bin/sh",
                     .exec_argv = {"-c", "echo $0 $1 $2; tr '\\0' ' ' < /proc/$$/cmdline"}}));
  child.read();
  CHECK(child->spawnfile() == "/bin/sh");
  CHECK(child->spawnargs().size() == 6);
  CHECK(loop.run() == 0);
  CHECK(child.out.starts_with("module one two\nzero -c echo"));
}

TEST_CASE("fork: without exec_path it starts this program") {
  Loop loop;
  Child child;
  child.take(process::fork(loop, "--test-case=no such case", {}, {.silent = true}));
  child.read();
  CHECK(loop.run() == 0);
  CHECK(child.out.find("[doctest]") != std::string::npos);
  CHECK(child.exit->code == 0);
}

// The child of the next case: a main from Node, where fork would start Node.
TEST_CASE("helper forks again" * doctest::skip()) {
  Loop loop;
  auto again = process::fork(loop, "--test-case=no such case", {}, {.silent = true});
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code() == Errc::invalid_arg_value);
  CHECK(again.error().message().starts_with("exec_path: is empty"));
  auto other = process::fork(loop, "x", {}, {.silent = true, .exec_path = "true"});
  CHECK(other.has_value());
  auto parent = process::parent(loop);
  REQUIRE(parent.has_value());
  auto asked = process::fork(loop, "--test-case=no such case", {}, {.silent = true});
  CHECK(asked.has_value());
}

TEST_CASE("fork: a program that forks itself without a look at parent() does not go on so") {
  Loop loop;
  Child child;
  child.take(
      process::fork(loop, "--test-case=helper forks again", {"--no-skip"}, {.silent = true}));
  child.read();
  CHECK(loop.run() == 0);
  CAPTURE(child.out);
  CHECK(child.exit->code == 0);
  CHECK(child.out.find("1 passed") != std::string::npos);
}

TEST_CASE("fork: the standard descriptors are inherited, silent or one kind for all makes pipes") {
  Loop loop;
  Child plain;
  plain.fork_shell(loop, "exit 0");
  CHECK(plain->stdio(1) == nullptr);
  Child silent;
  silent.fork_shell(loop, "echo silent", {.silent = true});
  silent.read();
  Child all;
  all.fork_shell(loop, "echo all; echo '\"m\"' >&3", {.stdio = Stdio::pipe});
  all.read().receive();
  Child list;  // silent is ignored beside a list
  list.fork_shell(
      loop, "echo lost",
      {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::ignore, Stdio::ipc}, .silent = true});
  CHECK(list->stdio(1) == nullptr);
  CHECK(loop.run() == 0);
  CHECK(silent.out == "silent\n");
  CHECK(all.out == "all\n");
  CHECK(all.messages == std::vector<std::string>{"\"m\""});
}

TEST_CASE("fork: the channel may be any descriptor") {
  Loop loop;
  Child first;
  first.spawn(loop, "sh", {"-c", "echo \"\\\"$NODE_CHANNEL_FD\\\"\" >&0"},
              {.stdio = {Stdio::ipc, Stdio::ignore, Stdio::inherit}});
  first.receive();
  Child fifth;
  fifth.fork_shell(loop, "echo \"\\\"$NODE_CHANNEL_FD\\\"\" >&5",
                   {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::inherit, Stdio::ignore,
                              Stdio::pipe, Stdio::ipc}});
  fifth.receive();
  CHECK(loop.run() == 0);
  CHECK(first.messages == std::vector<std::string>{"\"0\""});
  CHECK(fifth.messages == std::vector<std::string>{"\"5\""});
}

TEST_CASE("fork: a child without a channel has none to send on") {
  Loop loop;
  Child child;
  child.spawn(loop, "true");
  CHECK(child->channel() == nullptr);
  CHECK_FALSE(child->connected());
  CHECK(refusal(child->send(Json(1))).code() == Errc::ipc_channel_closed);
  child->disconnect();
  CHECK(child.events.empty());
  CHECK(loop.run() == 0);
  CHECK(child.saw("error ERR_IPC_DISCONNECTED"));
  CHECK(child.closed);
}

TEST_CASE("fork: messages wait for the first listener, and come before disconnect and close") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "echo 1 >&3; echo 2 >&3; exec 3>&-; exit 0");
  child->on_message([&](const Json& m) { child.events.push_back("message " + m.dump()); });
  CHECK(loop.run() == 0);
  auto position = [&](const char* event) {
    return std::find(child.events.begin(), child.events.end(), event) - child.events.begin();
  };
  CHECK(child.events.size() == 6);
  CHECK(position("message 1") < position("message 2"));
  CHECK(position("message 2") < position("disconnect"));
  CHECK(position("disconnect") < position("close 0"));
  CHECK(position("exit 0") < position("close 0"));
}

TEST_CASE("fork: a listener that comes late gets what was said before") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "echo 1 >&3; echo 2 >&3; read x <&3; echo 3 >&3");
  REQUIRE(run_until(loop, [&] { return child.saw("spawn"); }));
  for (int i = 0; i < 20; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
  child.receive();
  CHECK(child.messages.empty());
  CHECK(child->send(Json("go")).value());
  CHECK(loop.run() == 0);
  CHECK(child.messages == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("fork: internal messages are told apart") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "echo '{\"cmd\":\"NODE_X\"}' >&3; echo '{\"cmd\":\"NODE_\"}' >&3");
  child.receive();
  CHECK(loop.run() == 0);
  CHECK(child.internals == std::vector<std::string>{"{\"cmd\":\"NODE_X\"}"});
  CHECK(child.messages == std::vector<std::string>{"{\"cmd\":\"NODE_\"}"});
}

TEST_CASE("fork: close comes also after our own disconnect") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "read x <&3; exit 4");
  child->disconnect();
  CHECK_FALSE(child->connected());
  CHECK(child.events.empty());
  CHECK(refusal(child->send(Json(1))).code() == Errc::ipc_channel_closed);
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "disconnect", "exit 4", "close 4"});
}

TEST_CASE("fork: a second disconnect is an error event") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "read x <&3; exit 4");
  child->disconnect();
  child->disconnect();
  CHECK(loop.run() == 0);
  REQUIRE(child.errors.size() == 1);
  CHECK(child.errors[0].code() == Errc::ipc_disconnected);
  child->disconnect();
  CHECK(loop.run() == 0);
  CHECK(child.errors.size() == 2);
  CHECK(child.closed);
}

TEST_CASE("fork: a child that leaves its channel goes on, and close comes after its exit") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "exec 3>&-; read x; exit 6", {.silent = true});
  REQUIRE(run_until(loop, [&] { return child.saw("disconnect"); }));
  CHECK_FALSE(child.exit.has_value());
  child->in().end("x\n");
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "disconnect", "exit 6", "close 6"});
}

TEST_CASE("fork: a grandchild that holds the channel delays disconnect and close, not exit") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "read x <&3 & exit 0");
  REQUIRE(run_until(loop, [&] { return child.exit.has_value(); }));
  for (int i = 0; i < 20; ++i) uv_run(loop.native(), UV_RUN_NOWAIT);
  CHECK(child.events == Events{"spawn", "exit 0"});
  CHECK(child->send(Json("go")).value());
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn", "exit 0", "disconnect", "close 0"});
}

TEST_CASE("fork: a child that prints to its channel breaks the protocol and not us") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "echo Listening on port 80 >&3; read x; exit 0", {.silent = true});
  child.receive();
  REQUIRE(run_until(loop, [&] { return child.saw("disconnect"); }));
  REQUIRE(child.errors.size() == 1);
  CHECK_FALSE(child.exit.has_value());
  child->in().end("x\n");
  CHECK(loop.run() == 0);
  CHECK(child.closed);
}

TEST_CASE("fork: a failed start takes messages, and then tells that nobody got them") {
  Loop loop;
  Child child;
  child.take(process::fork(loop, "module", {}, {.exec_path = "/nonexistent"}));
  CHECK(child->connected());
  CHECK(child->send(Json("lost")).value());
  bool told = false;
  CHECK(
      child->send(Json("lost"), [&](const Error* error) { told = error != nullptr; }).has_value());
  CHECK(loop.run() == 0);
  CHECK(told);
  REQUIRE(child.errors.size() == 2);
  CHECK(child.errors[0].errno_value() == ENOENT);
  CHECK(child.events.front() == "error ENOENT");
  CHECK(child.events.back() == "close -2");
  CHECK(child.saw("disconnect"));
  CHECK_FALSE(child->connected());
  CHECK_FALSE(child->send(Json("late")).has_value());
}

TEST_CASE("fork: the channel keeps the loop running, unless it is unreferenced") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "read x <&3; exit 2");
  child->unref();
  child->channel()->unref();
  CHECK(loop.run() == 0);
  CHECK(child.events == Events{"spawn"});
  child->channel()->ref();
  child->disconnect();
  REQUIRE(run_until(loop, [&] { return child.closed; }));
  CHECK(child.exit->code == 2);
}

TEST_CASE("fork: dropping a child closes its channel") {
  Loop loop;
  Child child;
  child.fork_shell(loop, "read x <&3; exit 2");
  const int pid = child->pid().value();
  child.process.reset();
  REQUIRE(run_until(loop, [&] { return ::kill(pid, 0) != 0; }));
  CHECK(child.events.empty());
}

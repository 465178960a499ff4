// SPDX-License-Identifier: Apache-2.0
// fork and the channel, with Node children.
#include "shared_server.h"
#include "stage.h"

namespace compare {

namespace {

using process::fork;
using process::ForkOptions;

ChildProcess& fork_node(Stage& s, const std::string& name, const char* script,
                        std::vector<std::string> args = {}, ForkOptions options = {},
                        unsigned quiet = kNothing) {
  options.exec_path = "node";
  return s.watch(name, fork(s.loop, child_script(script), std::move(args), options), quiet);
}

ipc::Channel::Sent sent(Stage& s, std::string name, Json fields = Json::object()) {
  return [&s, name = std::move(name),
          fields = std::make_shared<Json>(std::move(fields))](const Error* error) {
    (*fields)["code"] = error != nullptr ? error->name() : "";
    s.say(name, "sent", *fields);
  };
}

void fork_messages(Stage& s) {
  ChildProcess& echo = fork_node(s, "echo", "echo.js");
  s.fact("echo", "connected", echo.connected());
  const Json messages = {{{"hello", "world"}}, "text", 42, true, nullptr, {1, {{"two", 2}}}};
  for (const Json& message : messages) (void)echo.send(message);
  echo.on_message([&echo, seen = 0](const Json&) mutable {
    if (++seen == 6) (void)echo.send("bye");
  });

  ChildProcess& missing =
      s.watch("missing",
              fork(s.loop, "./no-such-module-4711.js", {}, {.silent = true, .exec_path = "node"}),
              kStreams);
  s.fact("missing", "connected", missing.connected());
  ChildProcess& args = fork_node(s, "args", "args.js", {"a", "b c"},
                                 {.silent = true, .exec_argv = {"--no-warnings"}});
  s.fact("args", "spawnargs", {args.spawnargs().size(), args.spawnargs().at(1)});
}

/// Messages wait for the first listener, on either side.
void fork_late(Stage& s) {
  using process::Stdio;
  ChildProcess& late =
      fork_node(s, "late", "late.js", {},
                {.stdio = {Stdio::ignore, Stdio::pipe, Stdio::inherit, Stdio::ipc}}, kChannel);
  (void)late.send("early");
  late.out().on_data([&, done = false](std::string_view) mutable {
    if (std::exchange(done, true)) return;
    s.fact("late", "listens", true);
    late.on_message([&](const Json& message) {
      s.say("late", "message", {{"message", message}});
      if (message == "early") (void)late.send("bye");
    });
  });
}

Json pipes(ChildProcess& child) {
  return {child.stdio(0) != nullptr, child.stdio(1) != nullptr, child.stdio(2) != nullptr};
}

void fork_exec_path(Stage& s) {
  // A shell speaks the channel too: lines of JSON to descriptor 3.
  const char* script =
      R"(printf '{"args":"%s %s","fd":"%s","mode":"%s"}\n' "$0" "$1" "$NODE_CHANNEL_FD" )"
      R"("$NODE_CHANNEL_SERIALIZATION_MODE" >&3)";
  ChildProcess& sh = s.watch(
      "sh", fork(s.loop, script, {"zero", "one"}, {.exec_path = "/bin/sh", .exec_argv = {"-c"}}));
  s.fact("sh", "spawnfile", sh.spawnfile());
  s.fact("sh", "pipes", pipes(sh));
  ChildProcess& silent =
      s.watch("silent", fork(s.loop, "echo out; echo err >&2", {},
                             {.silent = true, .exec_path = "/bin/sh", .exec_argv = {"-c"}}));
  s.fact("silent", "pipes", pipes(silent));
  s.watch("word",
          fork(s.loop, "echo 42 >&3", {},
               {.stdio = process::Stdio::ignore, .exec_path = "/bin/sh", .exec_argv = {"-c"}}));
  ChildProcess& missing =
      s.watch("missing", fork(s.loop, "x", {}, {.exec_path = "/nonexistent/program"}));
  s.fact("missing", "sent", missing.send("lost").value_or(false));
}

void fork_close(Stage& s) {
  fork_node(s, "exits", "send-and-exit.js", {"7"});
  ChildProcess& killed = fork_node(s, "by-signal", "echo.js");
  (void)killed.send("up");
  killed.on_message([&](const Json&) { (void)killed.kill("SIGKILL"); });

  // A grandchild holds the channel: the process has gone, and close waits until it lets go.
  using process::Stdio;
  ChildProcess& held =
      s.watch("held", process::spawn(s.loop, "sh", {"-c", "cat <&4 >/dev/null &"},
                                     {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::ignore,
                                                Stdio::ipc, Stdio::pipe}}));
  held.on_exit([&](const Exit&) {
    s.fact("held", "connected", held.connected());
    held.stdio(4)->end();
  });
}

void disconnect(Stage& s) {
  // We close the channel; the child sees it, and says so on its standard output.
  ChildProcess& ours = fork_node(s, "parent", "disconnect.js", {"wait"}, {.silent = true});
  ours.on_message([&](const Json&) {
    ours.disconnect();
    s.say("parent", "returned", {{"connected", ours.connected()}});
    ours.disconnect();  // Errc::ipc_disconnected, to on_error
  });
  ours.on_exit([&](const Exit&) {
    auto late = ours.send("late");
    s.say("parent", "sent", {{"code", late ? "" : late.error().name()}});
  });

  // The child closes it, and goes on.
  ChildProcess& theirs = fork_node(s, "child", "disconnect.js", {"leave"}, {.silent = true});
  theirs.on_disconnect([&] { theirs.in().end(); });
  s.fact("child", "connected", theirs.connected());
}

void internal(Stage& s) {
  ChildProcess& child = fork_node(s, "child", "internal.js");
  child.on_internal([&](const Json& message, ipc::ReceivedHandle&) {
    s.say("child", "internal", {{"message", message}});
  });
  s.fact("ours", "refused",
         {child.send({{"cmd", "NODE_x"}}).has_value(), child.send({{"cmd", "NODE_"}}).has_value()});
}

void send_callbacks(Stage& s) {
  ChildProcess& echo = fork_node(s, "echo", "echo.js");
  for (int i = 0; i < 5; ++i) (void)echo.send(i, sent(s, "echo", {{"number", i}}));
  s.say("echo", "returned");
  echo.on_message([&](const Json& message) {
    if (message == 4) (void)echo.send("bye");
  });
  echo.on_close([&](const Exit&) {
    auto late = echo.send("late");
    s.say("echo", "sent", {{"number", -1}, {"code", late ? "" : late.error().name()}});
  });
}

void send_utf8(Stage& s) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "ßü€𝄞";
  ChildProcess& echo = fork_node(s, "echo", "echo.js", {}, {}, kChannel);
  (void)echo.send(text);
  (void)echo.send({{"€", std::string("\xE2\x80\xA8\0\"\\\n", 7)}});
  echo.on_message([&, text, seen = 0](const Json& message) mutable {
    if (++seen == 1) {
      const auto& back = message.get_ref<const std::string&>();
      s.fact("echo", "same", {back == text, back.size()});
    } else {
      s.fact("echo", "small", message);
      (void)echo.send("bye");
    }
  });
}

void fork_net_server(Stage& s) {
  ChildProcess& child = fork_node(s, "child", "server.js", {}, {}, kChannel);
  auto owner = std::make_shared<SharedServer>(s.loop, "parent");
  (void)child.send("server", ipc::Handle::server(owner->fd()), sent(s, "child"));

  // Both accept on one socket: whoever is quicker. First until the child was, then, without it, the
  // parent.
  child.on_message([&s, &child, owner](const Json& message) {
    SharedServer* server = owner.get();  // its clients' callbacks must not own it
    s.say("child", "message", {{"message", message}});
    if (message == "listening") {
      server->ask_until("child", [&s, &child] {
        s.fact("child", "accepts", "child");
        (void)child.send("close");
      });
    } else {
      server->ask_until("parent", [&s, &child, server] {
        s.fact("parent", "accepts", "parent");
        server->close();
        child.disconnect();
      });
    }
  });
  child.on_disconnect([&] { s.say("child", "disconnect", {{"connected", child.connected()}}); });
}

}  // namespace

void add_channel_scenarios(Scenarios& all) {
  all["cp-fork"] = [](Stage& s) {
    fork_messages(s);
    fork_late(s);
  };
  all["cp-fork-exec-path"] = fork_exec_path;
  all["cp-fork-close"] = fork_close;
  all["cp-disconnect"] = disconnect;
  all["cp-internal"] = internal;
  all["cp-send-cb"] = send_callbacks;
  all["cp-send-utf8"] = send_utf8;
  all["cp-fork-net-server"] = fork_net_server;
}

}  // namespace compare

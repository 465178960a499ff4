// SPDX-License-Identifier: Apache-2.0
// Ending: exit codes, kill, timeouts, abort, and what outlives its parent.
#include "stage.h"

#include <stop_token>

namespace compare {

namespace {

using process::Milliseconds;
using process::spawn;
using process::SpawnOptions;
using process::Stdio;
using process::Stream;

/// Calls `then` with the first data.
void once_data(Stream& stream, std::function<void()> then) {
  stream.on_data([then = std::move(then), done = false](std::string_view) mutable {
    if (!std::exchange(done, true)) then();
  });
}

Json code_and_signal(const ChildProcess& child) {
  Json both = {nullptr, nullptr};
  if (child.exit_code()) both[0] = *child.exit_code();
  if (child.signal_code()) both[1] = *child.signal_code();
  return both;
}

void exit_code(Stage& s) {
  for (int code : {0, 1, 23, 42, 255}) {
    auto name = "exit-" + std::to_string(code);
    ChildProcess& child =
        s.watch(name, spawn(s.loop, "sh", {"-c", "exit " + std::to_string(code)}));
    s.fact(name, "before", code_and_signal(child));
    child.on_close(
        [&s, &child, name](const Exit&) { s.fact(name, "after", code_and_signal(child)); });
  }
}

void kill_flags(Stage& s) {
  ChildProcess& cat = s.watch("cat", spawn(s.loop, "cat"));
  s.fact("cat", "killed-before", cat.killed());
  s.fact("cat", "kill", cat.kill().value());
  s.fact("cat", "killed-after", cat.killed());
  cat.on_close([&](const Exit&) {
    s.fact("cat", "signal", code_and_signal(cat));
    s.fact("cat", "kill-when-gone", cat.kill().value());
  });

  ChildProcess& other = s.watch("other", spawn(s.loop, "cat"));
  s.refused("unknown", other.kill("SIGNOPE").error());
  s.fact("other", "kill-0", other.kill(0).value());
  s.fact("other", "killed-by-0", other.killed());
  s.fact("other", "kill-by-name", other.kill("sigkill").value());
}

void kill_others(Stage& s) {
  // Delivered is not dead.
  const char* trapping =
      R"(trap "echo trapped; exit 9" TERM; echo ready; while read x; do :; done)";
  ChildProcess& trap = s.watch("trap", spawn(s.loop, "sh", {"-c", trapping}));
  once_data(trap.out(), [&] {
    (void)trap.kill();
    s.fact("trap", "killed", trap.killed());
    trap.in().end();
  });

  // Its children are not touched: one holds the pipe, until it is told to let go.
  const process::StdioList four = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::pipe};
  ChildProcess& family =
      s.watch("family", spawn(s.loop, "sh", {"-c", "cat <&3 & echo ready; wait"}, {.stdio = four}));
  once_data(family.out(), [&] { (void)family.kill(); });
  family.on_exit([&](const Exit&) { family.stdio(3)->end("alive"); });
}

void kill(Stage& s) {
  kill_flags(s);
  kill_others(s);
}

void detached(Stage& s) {
  const char* script =
      "set -- $(cat /proc/$$/stat); [ $1 = $5 ] && echo group; [ $1 = $6 ] && echo session; true";
  s.watch("leader", spawn(s.loop, "sh", {"-c", script}, {.detached = true}));
  s.watch("member", spawn(s.loop, "sh", {"-c", script}));

  // Nothing of it keeps us here; it says that it lives once we are gone (the end of its standard
  // input).
  const char* last = R"(cat > ended; echo "{\"child\":\"survivor\",\"event\":\"survived\"}")";
  ChildProcess& survivor =
      s.keep(spawn(s.loop, "sh", {"-c", last},
                   {.stdio = {Stdio::pipe, Stdio::inherit, Stdio::inherit}, .detached = true}));
  survivor.unref();
  survivor.in().unref();
}

void timeout_kill_signal(Stage& s) {
  auto start = [&](const std::string& name, const char* command, const SpawnOptions& options) {
    ChildProcess& child = s.watch(name, spawn(s.loop, command, {}, options));
    child.on_close([&s, &child, name](const Exit&) { s.fact(name, "killed", child.killed()); });
  };
  start("default", "cat", {.timeout = Milliseconds(50)});
  start("kill", "cat", {.timeout = Milliseconds(50), .kill_signal = "SIGKILL"});
  start("by-number", "cat", {.timeout = Milliseconds(50), .kill_signal = 1});
  start("in-time", "true", {.timeout = Milliseconds(60000)});
  // Node leaves this one alone after its first signal.
  s.watch("escalates", spawn(s.loop, "sh", {"-c", R"(trap "" TERM; while :; do sleep 0.01; done)"},
                             {.stdio = Stdio::ignore,
                              .timeout = Milliseconds(2000),
                              .kill_grace = Milliseconds(50)}));
}

void controller(Stage& s) {
  auto start = [&](const std::string& name, const std::stop_source& stop, SpawnOptions options) {
    options.signal = stop.get_token();
    ChildProcess& child = s.watch(name, spawn(s.loop, "cat", {}, options));
    child.on_exit([&s, &child, name](const Exit&) { s.fact(name, "killed", child.killed()); });
    return &child;
  };
  std::stop_source during;
  start("during", during, {});
  during.request_stop();
  std::stop_source hard;
  start("kill-signal", hard, {.kill_signal = "SIGKILL"});
  hard.request_stop();

  std::stop_source already;
  already.request_stop();
  s.watch("before", spawn(s.loop, "cat", {}, {.signal = already.get_token()}));

  std::stop_source after;
  ChildProcess* late = start("after", after, {});
  late->in().end();
  late->on_close([after](const Exit&) mutable { after.request_stop(); });
}

}  // namespace

void add_end_scenarios(Scenarios& all) {
  all["cp-exit-code"] = exit_code;
  all["cp-kill"] = kill;
  all["cp-detached"] = detached;
  all["cp-spawn-timeout-kill-signal"] = timeout_kill_signal;
  all["cp-spawn-controller"] = controller;
}

}  // namespace compare

// SPDX-License-Identifier: Apache-2.0
// Starting: events, errors, refusals, argv, environment, working directory, shell.
#include "stage.h"

#include <cstdlib>

namespace compare {

namespace {

using process::Environment;
using process::spawn;
using process::SpawnOptions;
using process::Stdio;

void spawn_event(Stage& s) {
  s.watch("good", spawn(s.loop, "true"));
  s.say("good", "returned");
  s.watch("bad", spawn(s.loop, "/nonexistent/program"));
  s.say("bad", "returned");
}

void spawn_error(Stage& s) {
  auto start = [&](const std::string& name, std::string file, std::vector<std::string> args = {}) {
    ChildProcess& child = s.watch(name, spawn(s.loop, std::move(file), std::move(args)));
    s.fact(name, "pid", child.pid() ? Json(*child.pid()) : Json());
    s.fact(name, "streams",
           child.stdio(0) != nullptr && child.stdio(1) != nullptr && child.stdio(2) != nullptr);
    child.on_close([&s, &child, name](const Exit&) {
      s.fact(name, "exit_code", child.exit_code().value_or(0));
    });
  };
  start("missing", "no-such-program-4711", {"first", "second"});
  start("missing-path", "./no-such-program-4711");
  start("no-program", "/etc/passwd", {"first"});
  s.refused("below-a-file", spawn(s.loop, "/etc/passwd/program"));
  s.refused("too-long", spawn(s.loop, "true", {std::string(4 << 20, 'x')}));
}

void spawn_typeerror(Stage& s) {
  const std::string nul("a\0b", 3);
  Loop& loop = s.loop;
  s.refused("empty-file", spawn(loop, ""));
  s.refused("nul-in-file", spawn(loop, nul));
  s.refused("nul-in-args", spawn(loop, "true", {nul}));
  s.refused("nul-in-cwd", spawn(loop, "true", {}, {.cwd = nul}));
  s.refused("nul-in-env", spawn(loop, "true", {}, {.env = {{"A", nul}}}));
  s.refused("nul-in-argv0", spawn(loop, "true", {}, {.argv0 = nul}));
  s.refused("nul-in-shell", spawn(loop, "true", {}, {.shell = nul}));
  s.refused("nul-in-command", process::exec(loop, nul, {}, nullptr));
  s.refused("negative-timeout", spawn(loop, "true", {}, {.timeout = process::Milliseconds(-1)}));
  s.refused("unknown-signal", spawn(loop, "true", {}, {.kill_signal = "SIGNOPE"}));
  s.refused("unknown-signal-number", spawn(loop, "true", {}, {.kill_signal = 999}));
  const process::StdioList two = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::ipc, Stdio::ipc};
  s.refused("two-channels", spawn(loop, "true", {}, {.stdio = two}));
  s.refused("fork-without-channel",
            process::fork(loop, "x.js", {}, {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe}}));
  auto sync = process::spawn_sync("true", {},
                                  {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::ipc}});
  if (!sync) s.refused("channel-in-sync", sync.error());
  s.refused("input-in-async", spawn(loop, "true", {}, {.stdio = {Stdio::with_input("text")}}));
  s.refused("advanced", spawn(loop, "true", {},
                              {.stdio = {Stdio::ignore, Stdio::ignore, Stdio::ignore, Stdio::ipc},
                               .serialization = process::Serialization::advanced}));
  s.refused("args-beside-shell", spawn(loop, "true", {"x"}, {.shell = true}));

  // What may be left out.
  s.watch("file", spawn(loop, "true"));
  s.watch("args", spawn(loop, "sh", {"-c", "exit 3"}));
  s.watch("no-args", spawn(loop, "true", {}));
  s.watch("options", spawn(loop, "true", {}, {}));
}

void spawn_argv0(Stage& s) {
  const char* script = R"(tr "\0" " " < /proc/$$/cmdline | cut -d" " -f1)";
  auto start = [&](const std::string& name, const SpawnOptions& options) {
    ChildProcess& child = s.watch(name, spawn(s.loop, "sh", {"-c", script}, options));
    s.fact(name, "spawnfile", child.spawnfile());
    s.fact(name, "spawnargs", {child.spawnargs().at(0), child.spawnargs().size()});
  };
  start("default", {});
  start("given", {.argv0 = "another"});
}

void spawn_shell(Stage& s) {
  auto start = [&](const std::string& name, const char* command, const SpawnOptions& options) {
    ChildProcess& child = s.watch(name, spawn(s.loop, command, {}, options));
    s.fact(name, "spawnfile", child.spawnfile());
    s.fact(name, "spawnargs", child.spawnargs());
  };
  start("command", "echo foo", {.shell = true});
  start("pipe", "echo bar | cat", {.shell = true});
  start("missing", "no-such-command-4711 2>/dev/null", {.shell = true});
  start("env", "echo $BAZ", {.env_merge = {{"BAZ", "buzz"}}, .shell = true});
  start("other-shell", "echo $0", {.shell = "/bin/bash"});
}

void cwd(Stage& s) {
  s.watch("given", spawn(s.loop, "pwd", {}, {.cwd = "/dev"}));
  s.watch("inherited", spawn(s.loop, "pwd"));
  ChildProcess& child = s.watch("missing", spawn(s.loop, "pwd", {}, {.cwd = "/nonexistent-4711"}));
  s.fact("missing", "pid", child.pid() ? Json(*child.pid()) : Json());
  child.on_error([&](const Error& error) {
    s.fact("missing", "named", error.message().contains("nonexistent"));
  });
}

void env(Stage& s) {
  auto sh = [&](const std::string& name, const SpawnOptions& options) {
    const char* script = R"(echo "${HELLO-unset} ${OTHER-unset} ${EMPTY-unset}")";
    s.watch(name, spawn(s.loop, "/bin/sh", {"-c", script}, options));
  };
  sh("inherited", {});
  sh("replaced", {.env = {{"OTHER", "there"}}});
  sh("changed", {.env_merge = {{"HELLO", "changed"}, {"EMPTY", ""}}});
  sh("undefined", {.env = {{"HELLO", std::nullopt}, {"OTHER", "there"}}});
  sh("none", {.env = Environment::empty()});
  s.watch("path", spawn(s.loop, "sh", {"-c", "true"}, {.env = {{"PATH", "/nonexistent"}}}));
}

void default_options(Stage& s) {
  ::setenv("LATER", "set", 1);
  s.watch("empty", spawn(s.loop, "sh", {"-c", "echo $HELLO $LATER"}, {}));
  s.watch("left-out", spawn(s.loop, "sh", {"-c", "echo $HELLO $LATER"}));
}

}  // namespace

void add_start_scenarios(Scenarios& all) {
  all["cp-spawn-event"] = spawn_event;
  all["cp-spawn-error"] = spawn_error;
  all["cp-spawn-typeerror"] = spawn_typeerror;
  all["cp-spawn-argv0"] = spawn_argv0;
  all["cp-spawn-shell"] = spawn_shell;
  all["cp-cwd"] = cwd;
  all["cp-env"] = env;
  all["cp-default-options"] = default_options;
}

}  // namespace compare

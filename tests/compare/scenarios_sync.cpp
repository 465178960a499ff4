// SPDX-License-Identifier: Apache-2.0
// spawn_sync, exec_sync and exec_file_sync.
#include "stage.h"

namespace compare {

namespace {

using process::exec_file_sync;
using process::exec_sync;
using process::Milliseconds;
using process::spawn_sync;
using process::Stdio;
using process::SyncFailure;
using process::SyncOptions;

using Output = std::expected<std::string, SyncFailure>;

Json status(const Exit& exit) { return exit.code ? Json(*exit.code) : Json(); }

std::string signal(const Exit& exit) {
  return exit.signal ? process::signal_name(*exit.signal) : "";
}

/// What Node throws, ours returns.
void thrown(Stage& s, const char* name, const Output& output) {
  if (output) return s.fact(name, "returned", *output);
  const SyncFailure& failed = output.error();
  const bool by_exit = failed.error.code() == make_error_code(Errc::command_failed);
  s.say(name, "failed",
        {{"code", by_exit ? "" : failed.error.name()},
         {"status", status(failed.result.exit)},
         {"signal", signal(failed.result.exit)},
         {"out", failed.result.out},
         {"err", failed.result.err}});
  if (!by_exit) s.fact(name, "call", failure(failed.error));
}

void spawn_sync_shape(Stage& s) {
  auto r = spawn_sync("sh", {"-c", "echo out; echo err >&2; exit 3"});
  s.synchronous("code", r);
  s.fact("code", "shape",
         {r->pid.has_value(), r->output.size(), nullptr, r->output.at(1).value_or(""),
          r->output.at(2).value_or("")});
  s.synchronous("good", spawn_sync("true"));
  s.synchronous("signal", spawn_sync("sh", {"-c", "kill -TERM $$"}));
  s.synchronous("missing", spawn_sync("no-such-program-4711", {"x"}));
  s.synchronous("cwd", spawn_sync("pwd", {}, {.cwd = "/dev"}));
  s.synchronous("shell", spawn_sync("echo $((40 + 2))", {}, {.shell = true}));
  s.synchronous("ignore", spawn_sync("echo", {"x"}, {.stdio = Stdio::ignore}));
  s.synchronous("exact", spawn_sync("printf", {"12345678"}, {.max_buffer = 8}));
  auto over = spawn_sync("head", {"-c", "3000000", "/dev/zero"});
  s.fact("over", "cut",
         {over->error ? over->error->name() : "", over->out.size() == process::kDefaultMaxBuffer});

  const SyncOptions quiet = {.stdio = Stdio::pipe};
  thrown(s, "exec", exec_sync("echo fine", quiet));
  thrown(s, "exec-code", exec_sync("echo some; echo why >&2; exit 5", quiet));
  thrown(s, "exec-signal", exec_sync("kill -KILL $$", quiet));
  thrown(s, "file", exec_file_sync("echo", {"a  b"}, quiet));
  thrown(s, "file-missing", exec_file_sync("no-such-program-4711", {"x"}, quiet));
}

void spawn_sync_input(Stage& s) {
  s.synchronous("string", spawn_sync("cat", {}, {.input = "some text"}));
  s.synchronous("bytes", spawn_sync("cat", {}, {.input = std::string("\0\377\n", 3)}));
  s.synchronous("to-stderr", spawn_sync("sh", {"-c", "cat >&2"}, {.input = "aside"}));
  s.synchronous("empty", spawn_sync("cat", {}, {.input = ""}));
  s.synchronous("none", spawn_sync("cat"));
  const std::string large(1 << 20, 'x');
  s.synchronous("unread", spawn_sync("true", {}, {.input = large}));
  s.synchronous(
      "by-descriptor",
      spawn_sync("sh", {"-c", "cat <&3"},
                 {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::with_input("third")}}));
  s.fact("large", "length", spawn_sync("cat", {}, {.input = large})->out.size());
  s.fact("exec", "returned", exec_sync("cat", {.input = "in"}).value_or("failed"));
  s.fact("file", "returned", exec_file_sync("cat", {}, {.input = "in"}).value_or("failed"));
}

void spawn_sync_timeout(Stage& s) {
  s.synchronous("late", spawn_sync("sh", {"-c", "echo partial; exec sleep 60"},
                                   {.timeout = Milliseconds(2000)}));
  s.synchronous(
      "kill", spawn_sync("sleep", {"60"}, {.timeout = Milliseconds(50), .kill_signal = "SIGKILL"}));
  s.synchronous("in-time", spawn_sync("echo", {"whole"}, {.timeout = Milliseconds(60000)}));
  auto failed = exec_sync("exec sleep 60", {.timeout = Milliseconds(50)});
  if (failed) return;
  const Exit& exit = failed.error().result.exit;
  s.say(
      "exec", "failed",
      {{"code", failed.error().error.name()}, {"status", status(exit)}, {"signal", signal(exit)}});
}

}  // namespace

void add_sync_scenarios(Scenarios& all) {
  all["cp-spawnsync"] = spawn_sync_shape;
  all["cp-spawnsync-input"] = spawn_sync_input;
  all["cp-spawnsync-timeout"] = spawn_sync_timeout;
}

}  // namespace compare

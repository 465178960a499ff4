// SPDX-License-Identifier: Apache-2.0
// exec and exec_file: what the callback gets, and when.
#include "stage.h"

#include <csignal>
#include <fstream>
#include <stop_token>

namespace compare {

namespace {

using process::Encoding;
using process::exec;
using process::exec_file;
using process::ExecOptions;
using process::ExecResult;
using process::Milliseconds;

void exec_error(Stage& s) {
  auto run = [&](const std::string& name, const char* command, process::ExecCallback callback) {
    s.watch(name, exec(s.loop, command, {}, std::move(callback)), kStreams);
  };
  run("shell", "no-such-command-4711 2>/dev/null", s.told("shell"));
  s.watch(
      "file",
      exec_file(s.loop, "no-such-command-4711", {"x"}, {},
                s.told("file",
                       [&](const ExecResult& r) {
                         const FailedCall& call = *r.error->call();
                         s.fact("file", "call",
                                {-r.error->errno_value(), call.syscall, call.path, call.spawnargs});
                       })),
      kStreams);
  run("failing", "echo some; echo why >&2; exit 5", s.told("failing", [&](const ExecResult& r) {
    s.fact("failing", "text", r.error->message());
  }));
  run("signal", "kill -KILL $$", s.told("signal"));
  run("good", "echo fine", s.told("good"));
}

void exec_cwd(Stage& s) {
  s.watch("given", exec(s.loop, "pwd", {.cwd = "/dev"}, s.told("given")), kStreams);
  s.watch("inherited", exec(s.loop, "pwd", {}, s.told("inherited")), kStreams);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

void exec_encoding(Stage& s) {
  auto run = [&](std::string name, const char* command, const ExecOptions& options) {
    s.keep(exec(s.loop, command, options, [&s, name = std::move(name)](const ExecResult& r) {
      s.fact(name, "bytes", {hex(r.out), hex(r.err)});
    }));
  };
  run("utf8", R"(printf "gr\303\274n"; printf "\303\244" >&2)", {.encoding = Encoding::utf8});
  run("utf8-broken", R"(printf "a\377b\303")", {.encoding = Encoding::utf8});
  run("buffer", R"(printf "a\377b\303")", {.encoding = Encoding::buffer});
  run("default", R"(printf "a\377b")", {});
}

void exec_maxbuf(Stage& s) {
  auto done = [&](std::string name) {
    return [&s, name = std::move(name)](const ExecResult& r) {
      s.fact(name, "told", {r.error ? r.error->name() : "", r.out.size(), r.err.size()});
    };
  };
  auto run = [&](const char* name, const char* command, std::size_t most) {
    s.keep(exec(s.loop, command, {.max_buffer = most}, done(name)));
  };
  const int million = 1024 * 1024;
  s.keep(exec_file(s.loop, "head", {"-c", std::to_string(million), "/dev/zero"}, {},
                   done("default-exact")));
  s.keep(exec_file(s.loop, "head", {"-c", std::to_string(million + 1), "/dev/zero"}, {},
                   done("default-over")));
  run("exact", "printf 12345678", 8);
  run("over", "printf 123456789", 8);
  run("over-stderr", "printf 123456789 >&2", 8);
  run("each-stream", "printf 1234; printf 1234 >&2", 4);
  run("unlimited", "head -c 3000000 /dev/zero", process::kUnlimited);
  s.keep(exec(
      s.loop, R"(printf "\303\251\303\251\303\251\303\251")", {.max_buffer = 3},
      [&](const ExecResult& r) { s.fact("characters", "told", {r.error->name(), r.out.size()}); }));
}

void exec_timeout_expire(Stage& s) {
  const ExecOptions soon = {.timeout = Milliseconds(2000)};
  s.watch("late", exec(s.loop, "echo partial; exec sleep 60", soon, s.told("late")), kStreams);
  s.watch("in-time",
          exec(s.loop, "echo whole", {.timeout = Milliseconds(60000)}, s.told("in-time")),
          kStreams);
  // A grandchild holds the pipes; the callback does not wait for it.
  s.watch("grandchild",
          exec(s.loop, "sleep 20 & echo $! > grandchild.pid; wait", soon, s.told("grandchild")),
          kStreams)
      .on_close([](const Exit&) {
        pid_t pid = 0;
        std::ifstream("grandchild.pid") >> pid;
        if (pid > 0) ::kill(pid, SIGKILL);
      });
}

void exec_timeout_kill(Stage& s) {
  const char* script = R"(trap "" TERM; echo ready; while :; do sleep 0.01; done)";
  s.watch("trap",
          exec(s.loop, script, {.timeout = Milliseconds(2000), .kill_signal = "SIGKILL"},
               s.told("trap")),
          kStreams);
}

void exec_file_cases(Stage& s) {
  auto run = [&](const std::string& name, const char* file, std::vector<std::string> args,
                 const ExecOptions& options = {}) {
    s.watch(name, exec_file(s.loop, file, std::move(args), options, s.told(name)), kStreams);
  };
  run("good", "echo", {"a  b", "$HOME", "*"});
  run("code", "sh", {"-c", "exit 42"});
  run("signal", "sh", {"-c", "kill -TERM $$"});
  run("no-args", "true", {});
  run("shell", "echo \"$((40 + 2))\"", {}, {.shell = true});

  std::stop_source stop;
  run("abort", "cat", {}, {.signal = stop.get_token()});
  stop.request_stop();
  std::stop_source hard;
  run("abort-kill-signal", "cat", {}, {.signal = hard.get_token(), .kill_signal = "SIGKILL"});
  hard.request_stop();
}

}  // namespace

void add_exec_scenarios(Scenarios& all) {
  all["cp-exec-error"] = exec_error;
  all["cp-exec-cwd"] = exec_cwd;
  all["cp-exec-encoding"] = exec_encoding;
  all["cp-exec-maxbuf"] = exec_maxbuf;
  all["cp-exec-timeout-expire"] = exec_timeout_expire;
  all["cp-exec-timeout-kill"] = exec_timeout_kill;
  all["cp-execfile"] = exec_file_cases;
}

}  // namespace compare

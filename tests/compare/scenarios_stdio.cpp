// SPDX-License-Identifier: Apache-2.0
// The streams of a child: every form of stdio, and bytes in both directions.
#include "stage.h"

#include <filesystem>

namespace compare {

namespace {

using process::spawn;
using process::Stdio;
using process::StdioList;
using process::Stream;

/// Starts a script, and says which of its descriptors are pipes of ours.
ChildProcess& start(Stage& s, const std::string& name, const StdioList& stdio,
                    const char* script = "echo out; echo err >&2") {
  ChildProcess& child = s.watch(name, spawn(s.loop, "sh", {"-c", script}, {.stdio = stdio}));
  Json pipes = Json::array();
  for (std::size_t n = 0; n < std::max<std::size_t>(3, stdio.entries().size()); ++n) {
    pipes.push_back(child.stdio(n) != nullptr);
  }
  s.fact(name, "pipes", pipes);
  return child;
}

void tell_fact(Stage& s, Stream& stream, const std::string& child, const std::string& name) {
  stream.on_data([&s, child, name](std::string_view bytes) { s.fact(child, name, bytes); });
}

void stdio_forms(Stage& s) {
  start(s, "default", {});
  start(s, "pipe", Stdio::pipe);
  start(s, "overlapped", Stdio::overlapped);
  start(s, "ignore", Stdio::ignore);
  start(s, "padded", {Stdio::ignore});
  start(s, "null", {Stdio::pipe, Stdio::ignore, Stdio::pipe});
  start(s, "negative", {Stdio::pipe, -1, -1});
  ChildProcess& four =
      start(s, "ignored-4", {Stdio::ignore, Stdio::pipe, Stdio::pipe, Stdio::ignore, Stdio::pipe},
            "cat <&3; echo four >&4");
  tell_fact(s, *four.stdio(4), "ignored-4", "fd-4");
  ChildProcess& both = start(s, "both-ways", {Stdio::ignore, Stdio::pipe, Stdio::pipe, Stdio::pipe},
                             R"(read line <&3; echo "got $line" >&3)");
  tell_fact(s, *both.stdio(3), "both-ways", "fd-3");
  both.stdio(3)->write("hello\n");
  start(s, "to-descriptor", {Stdio::ignore, Stdio::pipe, 1},
        R"(echo "{\"child\":\"to-descriptor\",\"event\":\"ours\"}" >&2)");
  s.refused("not-open", spawn(s.loop, "true", {}, {.stdio = {4711}}));

  // One child's stream is another's descriptor.
  ChildProcess& reader = s.watch("reader", spawn(s.loop, "cat"));
  ChildProcess& writer =
      s.watch("writer", spawn(s.loop, "sh", {"-c", "echo through"},
                              {.stdio = {Stdio::ignore, reader.in(), Stdio::pipe}}));
  writer.on_exit([&](const Exit&) { reader.in().end(); });

  // A pipe of ours may be opened by name; Node's is a socket.
  start(s, "by-name", {Stdio::ignore, Stdio::pipe, Stdio::ignore}, "echo hi > /dev/stdout");
}

void stdio_inherit(Stage& s) {
  auto self = std::filesystem::read_symlink("/proc/self/exe");
  ChildProcess& middle = s.watch("middle", spawn(s.loop, self, {"middle"}));
  middle.in().end("through the middle");
}

void middle_process(Stage& s) { s.keep(spawn(s.loop, "cat", {}, {.stdio = Stdio::inherit})); }

void stdin_bytes(Stage& s) {
  ChildProcess& cat = s.watch("cat", spawn(s.loop, "cat"));
  s.fact("cat", "writable", {cat.in().is_writable(), cat.in().is_readable()});
  s.fact("cat", "readable", {cat.out().is_writable(), cat.out().is_readable()});
  cat.in().write("hello");
  cat.in().write(" ");
  cat.in().write("world", [&](const Error* error) {
    if (error == nullptr) s.say("cat", "written");
  });
  cat.in().on_finish([&] { s.say("cat", "finish"); });
  cat.in().end("!\n");

  // What nobody reads: EPIPE comes as the stream's error, and the child's end is told as ever.
  ChildProcess& deaf =
      s.watch("deaf", spawn(s.loop, "sh", {"-c", "exec <&-; echo closed; read x <&3"},
                            {.stdio = {Stdio::pipe, Stdio::pipe, Stdio::pipe, Stdio::pipe}}));
  deaf.in().on_error(
      [&](const Error& error) { s.say("deaf", "in-error", {{"code", error.name()}}); });
  deaf.in().on_close([&] {
    s.say("deaf", "in-close");
    deaf.stdio(3)->end("\n");
  });
  deaf.out().on_data([&, done = false](std::string_view) mutable {
    if (!std::exchange(done, true)) deaf.in().write("x");
  });
}

void double_pipe(Stage& s) {
  ChildProcess& echo =
      s.watch("echo", spawn(s.loop, "printf", {"hello\\nnode\\nand\\nworld\\n"}), kOut);
  ChildProcess& grep = s.watch("grep", spawn(s.loop, "grep", {"o"}), kOut);
  ChildProcess& sed = s.watch("sed", spawn(s.loop, "sed", {"s/o/O/"}));
  echo.out().pipe(grep.in());
  grep.out().pipe(sed.in());
}

void flush_stdio(Stage& s) {
  s.watch("little", spawn(s.loop, "echo", {"123"}), kStreams);
  s.watch("much", spawn(s.loop, "head", {"-c", "40000", "/dev/zero"}), kStreams);
  ChildProcess& read = s.watch("read", spawn(s.loop, "echo", {"123"}), kStreams);
  read.on_exit([&](const Exit&) { read.out().resume(); });
}

}  // namespace

void add_stdio_scenarios(Scenarios& all) {
  all["cp-stdio"] = stdio_forms;
  all["cp-stdio-inherit"] = stdio_inherit;
  all["middle"] = middle_process;
  all["cp-stdin"] = stdin_bytes;
  all["cp-double-pipe"] = double_pipe;
  all["cp-flush-stdio"] = flush_stdio;
}

}  // namespace compare

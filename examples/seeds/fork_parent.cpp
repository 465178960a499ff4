// SPDX-License-Identifier: Apache-2.0
// Talks with fork_child over a channel until it is ended (Ctrl-C). Node: fork('child.js').
#include <pronghorn/process.h>

#include <filesystem>
#include <iostream>

namespace ph = pronghorn;

int main() {
  // fork_child stands beside this program. Any program will do that speaks Node's channel, Node
  // too.
  auto child = std::filesystem::read_symlink("/proc/self/exe").replace_filename("fork_child");
  ph::Loop loop;
  auto forked = ph::process::fork(loop, "counter", {}, {.exec_path = child}).value();

  forked.on_message([](const ph::Json& message) {
    std::cout << "Message from child { counter: " << message.at("counter") << " }" << std::endl;
  });
  forked.send({{"hello", "world"}});
  return loop.run();
}

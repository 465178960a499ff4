// SPDX-License-Identifier: Apache-2.0
// Forks three children, which write to our standard output themselves. Node: fork, three times.
#include <pronghorn/process.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace ph = pronghorn;

int main() {
  auto support = std::filesystem::read_symlink("/proc/self/exe").replace_filename("support");
  ph::Loop loop;
  std::vector<ph::process::ChildProcess> children;
  for (int i = 0; i < 3; ++i) {
    auto& child = children.emplace_back(
        ph::process::fork(loop, std::to_string(i), {}, {.exec_path = support}).value());
    child.on_close([](const ph::process::Exit& exit) {
      std::cout << "child process exited with code " << exit.code.value_or(-1) << std::endl;
    });
  }
  return loop.run();
}

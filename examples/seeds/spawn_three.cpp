// SPDX-License-Identifier: Apache-2.0
// Starts three children and prints what they write as it comes. Node: spawn, three times.
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
    auto& child =
        children.emplace_back(ph::process::spawn(loop, support, {std::to_string(i)}).value());
    child.out().on_data([](std::string_view bytes) { std::cout << "stdout: " << bytes << "\n"; });
    child.err().on_data([](std::string_view bytes) { std::cout << "stderr: " << bytes << "\n"; });
    child.on_close([](const ph::process::Exit& exit) {
      std::cout << "child process exited with code " << exit.code.value_or(-1) << "\n";
    });
  }
  return loop.run();
}

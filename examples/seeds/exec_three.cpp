// SPDX-License-Identifier: Apache-2.0
// Runs three commands at once and prints what each wrote when it has ended. Node: exec, three
// times.
#include <pronghorn/process.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace ph = pronghorn;

void report(const ph::process::ExecResult& r) {
  if (r.error) {
    std::cout << r.error->message() << "\n";
    if (r.exit.code) std::cout << "Error code: " << *r.exit.code << "\n";
    if (r.exit.signal) std::cout << "Signal received: " << *r.exit.signal << "\n";
  }
  std::cout << "stdout: " << r.out << "\n";
  std::cout << "stderr: " << r.err << "\n";
}

int main() {
  // `support` stands beside this program; so the folder's name never gets into the shell's hands.
  auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  ph::Loop loop;
  std::vector<ph::process::ChildProcess> children;
  for (int i = 0; i < 3; ++i) {
    auto& child = children.emplace_back(
        ph::process::exec(loop, "./support " + std::to_string(i), {.cwd = here}, report).value());
    child.on_exit([](const ph::process::Exit& exit) {
      std::cout << "Child process exited with exit code " << exit.code.value_or(-1) << "\n";
    });
  }
  return loop.run();
}

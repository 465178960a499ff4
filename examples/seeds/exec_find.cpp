// SPDX-License-Identifier: Apache-2.0
// Counts the files below the working directory, with a pipe of the shell's. Node: exec('find … | wc
// -l').
#include <pronghorn/process.h>

#include <iostream>

namespace ph = pronghorn;

int main() {
  ph::Loop loop;
  auto child =
      ph::process::exec(loop, "find . -type f | wc -l", {}, [](const ph::process::ExecResult& r) {
        if (r.error) {
          std::cerr << "exec error: " << r.error->message() << "\n";
          return;
        }
        std::cout << "Number of files " << r.out << "\n";
      }).value();
  return loop.run();
}

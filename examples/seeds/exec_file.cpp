// SPDX-License-Identifier: Apache-2.0
// Runs a program without a shell and awaits its output. Node: await promisify(execFile)('node', …).
#include <pronghorn/process.h>

#include <iostream>

namespace ph = pronghorn;

ph::Task<int> version(ph::Loop& loop) {
  auto node = ph::process::exec_file(loop, "node", {"--version"});  // starts here
  auto r = co_await node;                                           // awaited by name
  if (r.error) {
    std::cerr << r.error->message() << "\n";
    co_return 1;
  }
  std::cout << r.out << "\n";
  co_return 0;
}

int main() {
  ph::Loop loop;
  return ph::run(loop, version(loop));
}

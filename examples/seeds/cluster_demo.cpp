// SPDX-License-Identifier: Apache-2.0
// A master that forks itself once per processor, and leaves; its workers go on. Node:
// cluster.fork().
#include <pronghorn/process.h>

#include <iostream>
#include <string>
#include <thread>
#include <unistd.h>

namespace ph = pronghorn;

int master(ph::Loop& loop) {
  std::cout << "Master " << getpid() << " is running" << std::endl;
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
    std::cout << "Forking process number " << i << "..." << std::endl;
    // Without an exec_path it is this very program; its number in the environment makes it a
    // worker.
    auto worker = ph::process::fork(loop, "worker", {},
                                    {.env_merge = {{"NODE_UNIQUE_ID", std::to_string(i + 1)}}});
    if (!worker) {
      std::cerr << worker.error().message() << "\n";
      return 1;
    }
  }
  return 0;  // a worker lives on when what its master holds of it is gone, and the master too
}

int main() {
  ph::Loop loop;
  auto parent = ph::process::parent(loop).value();
  if (!parent || parent->unique_id().empty()) return master(loop);
  std::cout << "Worker " << getpid() << " started and finished\n";
}

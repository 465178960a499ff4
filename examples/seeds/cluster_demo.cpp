// SPDX-License-Identifier: Apache-2.0
// A master that forks itself once per processor, and leaves; its workers go on. Node:
// cluster.fork().
#include <pronghorn/cluster.h>

#include <iostream>
#include <thread>
#include <unistd.h>

namespace ph = pronghorn;

int main() {
  ph::Loop loop;
  ph::Cluster cluster(loop);
  if (cluster.is_primary()) {
    std::cout << "Master " << getpid() << " is running" << std::endl;
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) {
      std::cout << "Forking process number " << i << "..." << std::endl;
      cluster.fork();
    }
    return 0;  // a worker lives on when its master is gone
  }
  std::cout << "Worker " << getpid() << " started and finished\n";
}

// SPDX-License-Identifier: Apache-2.0
// The child of exec_three, spawn_three and fork_three. When forked it has a channel, which does not
// keep it: it never asks for it.
#include <iostream>

int main(int argc, char** argv) {
  std::cout << "Child Process " << (argc > 1 ? argv[1] : "?") << " executed.\n";
}

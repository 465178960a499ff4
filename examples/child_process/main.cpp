// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/process.h>

#include <iostream>

namespace ph = pronghorn;

int main(int, char** argv) {  // argv[1]: a Node script that sends every message back
  ph::Loop loop;

  auto wc = ph::process::spawn(loop, "wc", {"-c"}).value();
  wc.out().on_data([](std::string_view bytes) { std::cout << "out " << bytes; });
  wc.on_close(
      [](const ph::process::Exit& e) { std::cout << "wc " << e.code.value_or(-1) << "\n"; });
  wc.in().write("hello");
  wc.in().end();

  auto sh = ph::process::exec(
      loop, "exit 3", {.max_buffer = 1024},
      [](const ph::process::ExecResult& r) { std::cout << "sh " << *r.exit.code << "\n"; });

  auto node = ph::process::fork(loop, argv[1], {}, {.exec_path = "node"}).value();
  node.on_message([&](const ph::Json& message) {
    std::cout << "message " << message << "\n";
    node.disconnect();
  });
  node.send({{"hello", "world"}});

  return loop.run();
}

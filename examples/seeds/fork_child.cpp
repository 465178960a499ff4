// SPDX-License-Identifier: Apache-2.0
// Sends a counter each second to whoever forked it, our fork_parent or Node; leaves when the
// channel closes. Node: process.on('message'), process.send.
#include <pronghorn/base/uv/timer.h>
#include <pronghorn/process.h>

#include <chrono>
#include <iostream>

namespace ph = pronghorn;
using namespace std::chrono_literals;

int main() {
  ph::Loop loop;
  auto parent = ph::process::parent(loop).value();
  if (!parent) {
    std::cerr << "fork_child: nobody forked it: start fork_parent\n";
    return 1;
  }
  parent->on_message([](const ph::Json& message) {
    std::cout << "Message from parent: { hello: '" << message.value("hello", "") << "' }"
              << std::endl;
  });

  int counter = 0;
  ph::uv::Timer every_second(loop, [&] { parent->send({{"counter", counter++}}); });
  every_second.start(1s, 1s);
  parent->on_disconnect([&] { every_second.stop(); });  // nothing is left to wait for
  return loop.run();
}

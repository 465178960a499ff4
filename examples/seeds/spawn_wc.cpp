// SPDX-License-Identifier: Apache-2.0
// Counts what comes on standard input with wc: type a line, then Ctrl-D. Node: spawn('wc').
#include <pronghorn/process.h>

#include <iostream>

namespace ph = pronghorn;

int main() {
  ph::Loop loop;
  auto wc = ph::process::spawn(loop, "wc").value();
  // Our standard input is also our shell's: it is read as it is, without changing its flags.
  auto in = ph::process::Stream::open_shared(loop, STDIN_FILENO).value();
  in.pipe(wc.in());

  wc.out().on_data([](std::string_view bytes) { std::cout << bytes << "\n"; });
  // close comes after the last of the data; exit may come before it.
  wc.on_close([&](const ph::process::Exit& exit) {
    std::cout << "child process exited with code " << exit.code.value_or(-1) << "\n";
    in.destroy();
  });
  return loop.run();
}

// SPDX-License-Identifier: Apache-2.0
// The server of bench/cluster/run without a cluster: one process, which prints its port.
#include <pronghorn/http.h>

#include <cstdio>

namespace ph = pronghorn;

int main() {
  ph::Loop loop;
  ph::config::Limits limits;
  limits.requests_per_connection = 0;
  ph::Server server(loop, ph::Router(), {.limits = limits, .timeouts = {}});
  server.get("/", [](const ph::Request&) { return ph::Response::text("Hello, World!"); });
  server.on_listening([](const ph::Address& address) {
    std::printf("%u\n", static_cast<unsigned>(address.port));
    std::fflush(stdout);
  });
  if (auto ok = server.listen("127.0.0.1:0"); !ok) {
    std::fprintf(stderr, "alone: %s\n", ok.error().message().c_str());
    return 1;
  }
  return loop.run();
}

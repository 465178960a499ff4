// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/http.h>

int main(int argc, char** argv) {
  pronghorn::App app(argc, argv);
  app.get("/hello/:name", [](const pronghorn::Request& q) {
    return pronghorn::Response::text("hello " + std::string(q.param("name")) + "\n");
  });
  return app.run();
}

// SPDX-License-Identifier: Apache-2.0
// TechEmpower's tests /plaintext and /json, by the rules of its FrameworkBenchmarks: fields Server,
// Date, Content-Type and Content-Length, the message made anew for each request of /json.
#include <pronghorn/http.h>
#include <pronghorn/json.h>

#include <memory>

using pronghorn::Request;
using pronghorn::Response;

int main(int argc, char** argv) {
  pronghorn::App app(argc, argv);
  // The same for every answer, so it is made once.
  auto head = std::make_shared<const Response::Head>(
      Response::Head{.headers = {{"Server", "pronghorn"}}, .type = "text/plain"});
  app.get("/plaintext", [head](const Request&) {
    Response answer;
    answer.head(head).body("Hello, World!");
    return answer;
  });
  app.get("/json", [](const Request&) {
    return pronghorn::json_response({{"message", "Hello, World!"}}).header("Server", "pronghorn");
  });
  return app.run();
}

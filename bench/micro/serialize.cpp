// SPDX-License-Identifier: Apache-2.0
// A response's head and body into a buffer: a short text made for it, and one whose head is shared.
#include <pronghorn/server/response.h>

#include "server/serializer.h"

#include <benchmark/benchmark.h>
#include <memory>
#include <string>

namespace pronghorn::server {
namespace {

constexpr AnswerFraming kFraming{.date = "Sun, 22 Nov 2026 12:00:00 GMT",
                                 .connection = "keep-alive"};

void serialize_text(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    const Response response = Response::text("Hello, World!");
    benchmark::DoNotOptimize(serialize(response, kFraming, out));
  }
}
BENCHMARK(serialize_text);

void serialize_shared_head(benchmark::State& state) {
  auto head = std::make_shared<const Response::Head>(Response::Head{
      .headers = {{"Server", "pronghorn"}, {"Cache-Control", "no-store"}}, .type = "text/plain"});
  std::string out;
  for (auto _ : state) {
    out.clear();
    Response response;
    response.head(head).body("Hello, World!");
    benchmark::DoNotOptimize(serialize(response, kFraming, out));
  }
}
BENCHMARK(serialize_shared_head);

}  // namespace
}  // namespace pronghorn::server

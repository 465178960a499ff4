// SPDX-License-Identifier: Apache-2.0
// Finding the handler of a path among twenty routes: a literal, one with parameters, none.
#include "server/router_impl.h"

#include <benchmark/benchmark.h>
#include <string>

namespace pronghorn {
namespace {

void route(benchmark::State& state, const char* path) {
  Router router;
  auto answer = [](const Request&) { return Response::text("here"); };
  bool added = router.add("GET", "/", answer).has_value() &&
               router.add("GET", "/users/:id/posts/:post", answer).has_value();
  for (int i = 0; i < 18; ++i) {
    added = added && router.add("GET", "/api/v1/thing" + std::to_string(i), answer).has_value();
  }
  if (!added) state.SkipWithError("a route was refused");
  RouteScratch scratch;
  for (auto _ : state) {
    RouteMatch match = router.impl().match(HTTP_GET, path, scratch);
    benchmark::DoNotOptimize(match.handler);
  }
}
BENCHMARK_CAPTURE(route, root, "/");
BENCHMARK_CAPTURE(route, literal, "/api/v1/thing17");
BENCHMARK_CAPTURE(route, parameters, "/users/4711/posts/a%20title");
BENCHMARK_CAPTURE(route, none, "/nothing/here");

}  // namespace
}  // namespace pronghorn

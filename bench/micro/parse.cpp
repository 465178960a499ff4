// SPDX-License-Identifier: Apache-2.0
// A request head through the strict look at it and the parser, as a session does it.
#include "bench/micro/heads.h"
#include "server/head_check.h"
#include "server/parser.h"

#include <benchmark/benchmark.h>
#include <cstdint>
#include <string_view>

namespace pronghorn::server {
namespace {

void parse(benchmark::State& state, std::string_view head) {
  const config::Limits limits;
  Parser parser;
  HeadCheck check;
  for (auto _ : state) {
    check.reset();
    parser.reset();
    if (check.scan(head, limits) != HeadCheck::Verdict::complete || !parser.feed(head)) {
      state.SkipWithError("the head was refused");
      break;
    }
    benchmark::DoNotOptimize(parser.fields().data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(head.size()) * state.iterations());
}
BENCHMARK_CAPTURE(parse, short_head, bench::kShortHead);
BENCHMARK_CAPTURE(parse, browser_head, bench::kBrowserHead);

}  // namespace
}  // namespace pronghorn::server

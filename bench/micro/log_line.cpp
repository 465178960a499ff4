// SPDX-License-Identifier: Apache-2.0
// A line of the access log, in each of the named formats.
#include "bench/micro/heads.h"
#include "server/access_line.h"

#include <array>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <string_view>

namespace pronghorn::server {
namespace {

void log_line(benchmark::State& state, std::string_view format) {
  auto parsed = config::parse_log_format(format);
  if (!parsed) {
    state.SkipWithError("no such format");
    return;
  }
  AccessLine line(*parsed, 1);
  const std::array<Field, 2> fields = {Field{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"},
                                       Field{"Referer", "http://127.0.0.1/index.html"}};
  AccessEntry entry;
  entry.client = "127.0.0.1";
  entry.method = "GET";
  entry.target = "/index.html?x=1";
  entry.path = "/index.html";
  entry.query = "x=1";
  entry.host = "127.0.0.1:8080";
  entry.fields = fields;
  entry.body_bytes = 13;
  entry.duration_us = 42;
  std::array<char, AccessLine::kMax> memory;
  std::int64_t now_us = 1'795'348'900'123'456;
  for (auto _ : state) {
    now_us += 10;  // a second begins every 100,000 lines
    benchmark::DoNotOptimize(line.write(memory.data(), entry, now_us));
  }
}
BENCHMARK_CAPTURE(log_line, common, "common");
BENCHMARK_CAPTURE(log_line, combined, "combined");
BENCHMARK_CAPTURE(log_line, json, "json");

}  // namespace
}  // namespace pronghorn::server

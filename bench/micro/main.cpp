// SPDX-License-Identifier: Apache-2.0
// build/release/bench/micro [--benchmark_filter=REGEX]: what a request is made of, part by part.
#include <benchmark/benchmark.h>

BENCHMARK_MAIN();

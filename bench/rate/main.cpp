// SPDX-License-Identifier: Apache-2.0
// An open-loop load generator: requests go out at the times of a schedule over keep-alive
// connections, and each one's latency counts from the time that it was due. Started by bench/run.
//
//   rate port=PORT rate=N [path=/] [seconds=1] [warmup=0.1] [connections=64] [depth=1] [close]
//        [post=BYTES] [queries=N] [body=BYTES] [header=NAME: VALUE …]
//
// body: of each answer; one of another length has failed, as one that is not 200 has.
//
// Prints one line of JSON; exit code 1 when something failed, which is in it. Each connection has
// its own requests of the schedule, one (or `depth`) at a time: what it is not free for waits, and
// its waiting is counted.
#include "client.h"
#include "options.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace {

using pronghorn::bench::Client;
using pronghorn::bench::Outcome;
using pronghorn::bench::Plan;

double us(std::uint64_t ns) { return static_cast<double>(ns) / 1000; }

void print(const Plan& plan, const Outcome& o) {
  std::printf(
      "{\"asked\":%.1f,\"rate\":%.1f,\"requests\":%llu,\"duration_s\":%.4f,\"p50_us\":%.1f,"
      "\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"late_p50_us\":%.1f,"
      "\"late_p99_us\":%.1f,\"unanswered\":%llu,\"errors\":%llu}\n",
      plan.rate, o.duration > 0 ? static_cast<double>(o.requests) / o.duration : 0,
      static_cast<unsigned long long>(o.requests), o.duration, us(o.latency.percentile(50)),
      us(o.latency.percentile(90)), us(o.latency.percentile(99)), us(o.latency.percentile(99.9)),
      us(o.latency.max()), us(o.late.percentile(50)), us(o.late.percentile(99)),
      static_cast<unsigned long long>(o.unanswered), static_cast<unsigned long long>(o.errors));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(pronghorn::bench::kUsage, stdout);
    return 0;
  }
  Plan plan;
  if (const std::string fault = pronghorn::bench::parse(argc, argv, plan); !fault.empty()) {
    std::fprintf(stderr, "rate: %s\n%s", fault.c_str(), pronghorn::bench::kUsage);
    return 2;
  }
  Client client(plan);
  const Outcome outcome = client.run();
  print(plan, outcome);
  return outcome.errors + outcome.unanswered > 0 || outcome.requests == 0 ? 1 : 0;
}

// SPDX-License-Identifier: Apache-2.0
// An open-loop load generator: requests go out at the times of a schedule over keep-alive
// connections, and each one's latency counts from the time that it was due. Started by bench/run.
//
//   rate port=PORT rate=N [path=/] [seconds=1] [warmup=0.1] [connections=64] [depth=1] [close]
//        [post=BYTES] [queries=N] [header=NAME: VALUE …]
//
// prints one line of JSON; exit code 1 when something failed, which is in it. Each connection has
// its own requests of the schedule, one (or `depth`) at a time: what it is not free for waits, and
// its waiting is counted.
#include "client.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace {

using pronghorn::bench::Client;
using pronghorn::bench::Outcome;
using pronghorn::bench::Plan;

// False: a word that is none.
bool parse(int argc, char** argv, Plan& plan) {
  std::string path = "/";
  std::string headers;
  std::size_t post = 0;
  std::size_t queries = 0;  // that differ: path?000000 and so on
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "close") {
      plan.closes = true;
      headers += "Connection: close\r\n";
      continue;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = word.substr(0, equals);
    const char* value = argv[i] + equals + 1;
    const double number = std::strtod(value, nullptr);
    if (name == "port") {
      plan.port = static_cast<int>(number);
    } else if (name == "rate") {
      plan.rate = number;
    } else if (name == "seconds") {
      plan.seconds = number;
    } else if (name == "warmup") {
      plan.warmup = number;
    } else if (name == "connections") {
      plan.connections = static_cast<std::size_t>(number);
    } else if (name == "depth") {
      plan.depth = static_cast<std::size_t>(number);
    } else if (name == "post") {
      post = static_cast<std::size_t>(number);
    } else if (name == "queries") {
      queries = static_cast<std::size_t>(number);
    } else if (name == "path") {
      path = value;
    } else if (name == "header") {
      headers += std::string(value) + "\r\n";
    } else {
      return false;
    }
  }
  for (std::size_t n = 0; n < std::max<std::size_t>(queries, 1); ++n) {
    const std::string digits = std::to_string(n);
    const std::string query =
        queries > 0 ? "?" + std::string(6 - std::min<std::size_t>(digits.size(), 6), '0') + digits
                    : "";
    std::string request = (post > 0 ? "POST " : "GET ") + path + query +
                          " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(plan.port) + "\r\n" +
                          headers;
    if (post > 0) request += "Content-Length: " + std::to_string(post) + "\r\n";
    plan.requests.push_back(std::move(request) + "\r\n" + std::string(post, 'x'));
  }
  return plan.port > 0 && plan.rate > 0 && plan.seconds > 0 && plan.connections > 0 &&
         plan.depth > 0;
}

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
  Plan plan;
  if (!parse(argc, argv, plan)) {
    std::fprintf(stderr,
                 "usage: rate port=PORT rate=N [path=/] [seconds=1] [warmup=0.1] [connections=64] "
                 "[depth=1] [close] [post=BYTES] [queries=N] [\"header=NAME: VALUE\" ...]\n");
    return 2;
  }
  Client client(plan);
  const Outcome outcome = client.run();
  print(plan, outcome);
  return outcome.errors + outcome.unanswered > 0 || outcome.requests == 0 ? 1 : 0;
}

// SPDX-License-Identifier: Apache-2.0
// A load client that hides no failure: every request and every connection ends up in one class of
// the report. Exit 0 without failures, 1 with, 2 for a wrong command line.
#include "client.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstdio>
#include <optional>
#include <signal.h>
#include <string_view>
#include <sys/resource.h>

namespace {

constexpr char kUsage[] =
    "usage: hammer [OPTION…] IPV4:PORT    prints one JSON line (mode hold: one when all are "
    "answered, one at the end)\n"
    "  --mode M          busy, think, close, pipeline or hold [busy]\n"
    "  --connections N   [64]\n"
    "  --seconds S       how long requests are begun; mode hold: how long connections are kept at "
    "most [5]\n"
    "  --path PATH       [/]\n"
    "  --timeout-ms T    of a connect, and of an answer [5000]\n"
    "  --think-ms T      mode think: pauses of 0 to 2 T [100]\n"
    "  --depth N         mode pipeline [16]\n"
    "  --gap-us T        mode hold: between two connects; kept until standard input ends [0]\n"
    "  --sources N       client addresses from 127.0.0.1 on [1]\n";

volatile std::sig_atomic_t stop = 0;

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool set_mode(std::string_view text, hammer::Mode& mode) {
  using enum hammer::Mode;
  constexpr std::pair<std::string_view, hammer::Mode> kModes[] = {
      {"busy", busy}, {"think", think}, {"close", close}, {"pipeline", pipeline}, {"hold", hold}};
  for (const auto& [name, value] : kModes) {
    if (name == text) {
      mode = value;
      return true;
    }
  }
  return false;
}

bool set_address(std::string_view text, sockaddr_in& address) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto port = number(text.substr(colon + 1));
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port.value_or(0)));
  return port &&
         inet_pton(AF_INET, std::string(text.substr(0, colon)).c_str(), &address.sin_addr) == 1;
}

bool set_number(std::string_view name, double value, hammer::Options& options) {
  using namespace std::chrono;
  const auto whole = static_cast<std::size_t>(value);
  if (name == "--connections" && whole > 0)
    options.connections = whole;
  else if (name == "--seconds")
    options.duration = milliseconds(static_cast<std::int64_t>(value * 1000));
  else if (name == "--timeout-ms")
    options.timeout = milliseconds(whole);
  else if (name == "--think-ms")
    options.think = milliseconds(whole);
  else if (name == "--gap-us")
    options.gap = microseconds(whole);
  else if (name == "--depth" && whole > 0)
    options.depth = whole;
  else if (name == "--sources" && whole > 0)
    options.sources = static_cast<std::uint32_t>(whole);
  else
    return false;
  return true;
}

bool parse(int argc, char** argv, hammer::Options& options) {
  bool has_address = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--")) {
      if (has_address || !set_address(name, options.address)) return false;
      has_address = true;
      continue;
    }
    if (++i == argc) return false;
    const std::string_view value = argv[i];
    if (name == "--mode") {
      if (!set_mode(value, options.mode)) return false;
    } else if (name == "--path") {
      options.path = value;
    } else if (const auto n = number(value); !n || !set_number(name, *n, options)) {
      return false;
    }
  }
  return has_address;
}

void print(const hammer::Report& report) {
  std::puts(report.json().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  hammer::Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  struct sigaction on_stop{};
  on_stop.sa_handler = [](int) { stop = 1; };
  sigaction(SIGINT, &on_stop, nullptr);
  sigaction(SIGTERM, &on_stop, nullptr);

  hammer::Client client(options);
  client.run(stop);
  print(client.report());
  if (options.mode == hammer::Mode::hold) {
    client.hold(stop);
    print(client.report());
  }
  return client.report().failures() == 0 ? 0 : 1;
}

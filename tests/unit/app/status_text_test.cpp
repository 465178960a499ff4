// SPDX-License-Identifier: Apache-2.0
#include "app/status_command.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

using namespace pronghorn;

namespace {

master::ServerStatus example() {
  master::ServerStatus status;
  status.version = "0.1.0";
  status.pid = 4711;
  status.uptime_ms = 76LL * 3600 * 1000;
  status.config_file = "/etc/pronghorn/pronghorn.toml";
  status.verdict = "DEGRADED";
  status.reason = "1 of 2 workers ready; worker 2 restarts in 6.4 s (attempt 5)";
  auto& first = status.workers.emplace_back();
  first.slot = 1;
  first.state = "ready";
  first.pid = 4712;
  first.generation = 1;
  first.uptime_ms = 48LL * 60 * 1000;
  first.connections = 611;
  first.accepted = 12'345'678;
  first.requests_per_second = 9240.4;
  first.cpu_percent = 61.2;
  first.memory_bytes = 9'542'041;
  first.lag_us = 200;
  auto& second = status.workers.emplace_back();
  second.slot = 2;
  second.state = "waiting";
  second.generation = 1;
  second.exits = 4;
  second.last_exit = "SIGSEGV in GET /report";
  second.last_exit_ms = 8'200;
  status.listeners.push_back({"http://0.0.0.0:8080", 3, 4096});
  return status;
}

std::size_t longest_line(const std::string& text) {
  std::istringstream lines(text.substr(text.find("WORKER")));
  std::size_t longest = 0;
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  return longest;
}

}  // namespace

TEST_CASE("status text: the header, the verdict, a row per worker, the sum, the listeners") {
  CHECK(app::status_text(example(), 0, false) ==
        "pronghorn 0.1.0  pid 4711  up 3d04h  generation 1  /etc/pronghorn/pronghorn.toml\n"
        "DEGRADED: 1 of 2 workers ready; worker 2 restarts in 6.4 s (attempt 5)\n"
        "\n"
        "WORKER  STATE     PID  GEN   UP  CONNS  REQ/S  CPU   MEM    LAG  EXITS  LAST EXIT\n"
        "     1  ready    4712    1  48m    611   9240  61%  9.1M  0.2ms      0  -\n"
        "     2  waiting     -    1    -      0      0    -     -      -      4  8s ago, SIGSEGV "
        "in GET /report\n"
        " total                             611   9240  61%  9.1M             4\n"
        "\n"
        "listen http://0.0.0.0:8080  queue 3 of 4096  accepted 12,345,678\n");
}

TEST_CASE(
    "status text: a narrow terminal loses lag, memory and CPU, then the last exit has a line of "
    "its own") {
  CHECK(app::status_text(example(), 110, false).contains("LAG"));
  auto narrow = app::status_text(example(), 100, false);
  CHECK(!narrow.contains("LAG"));
  CHECK(narrow.contains("MEM"));
  auto small = app::status_text(example(), 60, false);
  CHECK(!small.contains("LAST EXIT"));
  CHECK(small.contains("\n        8s ago, SIGSEGV in GET /report\n"));
  CHECK(longest_line(small) <= 66);
}

TEST_CASE("status text: only the verdict is coloured, and only when asked") {
  CHECK(!app::status_text(example(), 0, false).contains('\033'));
  CHECK(app::status_text(example(), 0, true).contains("\033[31mDEGRADED\033[0m: 1 of 2"));
}

TEST_CASE("status: foreign programs have a column, and no figures that they do not give us") {
  master::ServerStatus status = example();
  CHECK(app::status_text(status, 0, false).find("PROGRAM") == std::string::npos);
  status.workers[0].program = "app.js";
  status.workers[0].connections = 0;
  const std::string text = app::status_text(status, 0, false);
  CHECK(text.find("WORKER  PROGRAM  STATE") != std::string::npos);
  CHECK(text.find("     1  app.js   ready") != std::string::npos);
  status.workers[1].program = "app.js";
  CHECK(app::status_text(status, 0, false).find("accepted") == std::string::npos);
}

TEST_CASE("status text: what clients were refused, where there is any") {
  auto status = example();
  CHECK(app::status_text(status, 0, false).find("429") == std::string::npos);
  status.workers[0].requests_refused = 1'200;
  status.workers[1].requests_refused = 34;
  status.workers[1].connections_refused = 5;
  CHECK(app::status_text(status, 0, false)
            .ends_with("accepted 12,345,678\nrefused by 429  1,234 requests  5 connections\n"));
}

TEST_CASE("status text: the access log with what was lost, and why") {
  auto status = example();
  status.access_log = {
      .path = "/l", .lines = 12'345, .dropped = 0, .is_losing = false, .error = {}};
  CHECK(app::status_text(status, 0, false).ends_with("\naccess log /l  12,345 lines\n"));
  status.access_log = {.path = "-",
                       .lines = 1,
                       .dropped = 17,
                       .is_losing = true,
                       .error = "no space left on device"};
  CHECK(app::status_text(status, 0, false)
            .ends_with("\naccess log standard error  1 lines  17 lost, and more  no space left on "
                       "device\n"));
}

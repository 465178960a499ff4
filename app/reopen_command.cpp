// SPDX-License-Identifier: Apache-2.0
#include "app/reopen_command.h"

#include <pronghorn/base/text.h>

#include "app/ask_server.h"
#include "app/exit_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace pronghorn::app {
namespace {

// Longer than the master waits for its workers.
constexpr Millis kPatience{15'000};
// Of the workers that did not confirm; the rest is in --json and in the log.
constexpr std::size_t kMostNamed = 3;

}  // namespace

cli::Output reopen_output(const master::ReopenOutcome& outcome, bool colour) {
  if (outcome.path.empty()) {
    return {.out = "there is no log file to open anew\n", .err = {}, .code = kSuccess};
  }
  if (!outcome.error.empty()) {
    return cli::failure(kFailure, "pronghorn", outcome.error,
                        {"the file that is open is still written to"}, colour);
  }
  const std::size_t confirmed = outcome.confirmed();
  const std::size_t all = outcome.workers.size();
  if (!outcome.is_complete()) {
    std::vector<std::string> hints;
    for (const auto& worker : outcome.workers) {
      if (worker.ms >= 0 || hints.size() == kMostNamed) continue;
      hints.push_back(fmt::format(
          "worker {} (pid {}) {}", worker.slot, worker.pid,
          worker.error.empty() ? "has not answered; it will write to the new file when it does"
                               : "cannot: " + worker.error));
    }
    return cli::failure(kFailure, "pronghorn",
                        fmt::format("{} of {} workers {} to the new {}", confirmed, all,
                                    confirmed == 1 ? "writes" : "write", outcome.path),
                        hints, colour);
  }
  std::int64_t slowest = 0;
  for (const auto& worker : outcome.workers) slowest = std::max(slowest, worker.ms);
  return {
      .out = fmt::format("{} is open anew: {} worker{} after {}\n", escape_control(outcome.path),
                         all, all == 1 ? "" : "s", format_duration(Millis(slowest))),
      .err = {},
      .code = kSuccess};
}

int run_reopen(const cli::Reopen& command) {
  auto answer = ask_server(command.ask, "reopen", kPatience);
  if (!answer) return answer.error().emit();
  auto outcome = master::parse_reopen_outcome(*answer);
  if (!outcome) return unavailable(command.ask, outcome.error().message()).emit();
  cli::Output output = reopen_output(*outcome, cli::use_colour(command.ask.colour, STDERR_FILENO));
  if (command.ask.json) output = {.out = *answer + "\n", .err = {}, .code = output.code};
  return output.emit();
}

}  // namespace pronghorn::app

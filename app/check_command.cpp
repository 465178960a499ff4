// SPDX-License-Identifier: Apache-2.0
#include "app/check_command.h"

#include "app/cli/sources.h"
#include "app/exit_codes.h"
#include "app/routes.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <unistd.h>

namespace pronghorn::app {
namespace {

std::string as_json(const config::Outcome& outcome) {
  auto list = nlohmann::ordered_json::array();
  for (const config::Problem& problem : outcome.problems) {
    const bool is_error = problem.severity == config::Problem::Severity::error;
    list.push_back({{"file", problem.file.empty() ? outcome.file : problem.file},
                    {"line", problem.span.line},
                    {"column", problem.span.column},
                    {"end_column", problem.span.end_column},
                    {"severity", is_error ? "error" : "warning"},
                    {"code", problem.code},
                    {"message", problem.message},
                    {"suggestion", problem.suggestion}});
  }
  // A file name may be any bytes; what is not UTF-8 is replaced rather than thrown at the reader.
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int code_of(const config::Outcome& outcome) {
  if (outcome.ok()) return kSuccess;
  if (outcome.file_errno == EACCES) return kNoPermission;
  return outcome.file_errno != 0 ? kInvalidArgument : kBadConfiguration;
}

}  // namespace

cli::Output check_command(const cli::Check& check, const config::Environment& environment) {
  const config::Outcome outcome = config::load({.file = check.file,
                                                .environment = environment,
                                                .environment_sets_keys = false,
                                                .command_line = {},
                                                .route_check = route_check()});
  cli::Output output;
  output.code = code_of(outcome);
  if (check.json) {
    output.out = as_json(outcome);
    return output;
  }
  if (outcome.file_errno != 0) {
    output.err =
        cli::problems_text(outcome, "pronghorn", cli::use_colour(check.colour, STDERR_FILENO));
    return output;
  }
  output.out =
      cli::problems_text(outcome, "pronghorn", cli::use_colour(check.colour, STDOUT_FILENO));
  if (outcome.ok()) output.out += fmt::format("{}: no mistakes\n", config::printable(check.file));
  return output;
}

}  // namespace pronghorn::app

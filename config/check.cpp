// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include "config/access_log_format.h"
#include "config/account.h"
#include "config/check_report.h"
#include "config/program_command.h"
#include "config/text_span.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/stat.h>
#include <sys/un.h>

namespace pronghorn::config {
namespace {

void check_access_log(Outcome& outcome) {
  const std::string& path = outcome.config.access_log;
  if (path == "auto" || path == "off" || path == "-") return;
  const Origin origin = outcome.origin("access_log");
  if (path.empty() || path.ends_with('/')) {
    report(outcome, origin,
           {"bad-value", R"('access_log' must be a file, "-", "off" or "auto")", {}});
    return;
  }
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return;
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  const int error = directory_errno(directory);
  if (error == 0) return;
  const std::string why = error == ENOENT ? "no such directory" : errno_text(error);
  report(outcome, origin,
         {"no-directory", fmt::format("cannot write a log into '{}': {}", directory, why), {}});
}

void check_access_log_format(Outcome& outcome) {
  const std::string& text = outcome.config.access_log_format;
  const auto format = parse_log_format(text);
  if (format) return;
  const LogFormatFault& fault = format.error();
  const Origin origin = outcome.origin("access_log_format");
  const auto index = static_cast<std::size_t>(origin.span.line - 1);
  std::optional<Span> inside;
  if (origin.kind == Origin::Kind::file && index < outcome.document.lines.size()) {
    inside = span_in_text(origin.span, outcome.document.lines[index], text, fault.at, fault.length);
  }
  report(outcome, origin, inside.value_or(origin.span),
         {"bad-value", "'access_log_format': " + fault.message, fault.suggestion});
}

void check_listeners(Outcome& outcome) {
  const auto& listeners = outcome.config.listen;
  const Origin origin = outcome.origin("listen");
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    // Port 0 is another free port each time.
    if (!listeners[i].is_unix() && listeners[i].port == 0) continue;
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (listeners[earlier] != listeners[i]) continue;
      const Span span = i < origin.items.size() ? origin.items[i] : origin.span;
      report(outcome, origin, span,
             {"duplicate-listener",
              fmt::format("'{}' is here a second time", listeners[i].text()),
              {}});
      break;
    }
  }
}

void check_control(Outcome& outcome) {
  const std::string& path = outcome.config.control;
  const std::size_t longest = sizeof(sockaddr_un{}.sun_path) - 1;
  const Origin origin = outcome.origin("control");
  if (constexpr std::string_view kScheme = "unix:"; path.starts_with(kScheme)) {
    return report(outcome, origin,
                  {"bad-value", "'control' is a path as it is, without 'unix:'",
                   path.substr(kScheme.size())});
  }
  if (path.size() <= longest) return;
  report(outcome, origin,
         {"bad-value",
          fmt::format("the path of a unix socket has at most {} bytes, this one has {}", longest,
                      path.size()),
          {}});
}

void check_account(Outcome& outcome) {
  const Config& config = outcome.config;
  if (config.user.empty()) {
    if (config.group.empty()) return;
    const Origin origin = outcome.origin("group");
    report(outcome, origin, origin.span, {"missing-key", "'group' needs a 'user'", {}});
    return;
  }
  const auto account = find_account(config.user, config.group);
  if (account && account->uid == 0 && !config.group.empty()) {
    const Origin origin = outcome.origin("group");
    report(outcome, origin, origin.span,
           {"bad-value", "'group' means nothing for root, which may do everything", {}});
  }
  if (account) return;
  const Origin origin = outcome.origin(account.error().is_group ? "group" : "user");
  report(outcome, origin, origin.span, account.error().complaint);
}

void check_routes(Outcome& outcome, const Inputs& inputs) {
  const auto& routes = outcome.config.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Origin& origin = outcome.route_origins[i];
    const auto same = std::ranges::find(routes, routes[i].path, &Route::path);
    if (const auto earlier = static_cast<std::size_t>(same - routes.begin()); earlier < i) {
      report(outcome, origin,
             {"duplicate-route",
              fmt::format("the route '{}' is in line {} already", routes[i].path,
                          outcome.route_origins[earlier].span.line),
              {}});
    } else if (inputs.route_check) {
      if (const auto fits = inputs.route_check(routes[i]); !fits) {
        report(outcome, origin, {"bad-route", fits.error().message(), {}});
      }
    }
  }
}

void check_compression(Outcome& outcome) {
  const Compression& rules = outcome.config.compression;
  if (rules.min_size <= rules.max_size) return;
  // Said of the one that was set, of the first where both were.
  Origin origin = outcome.origin("compression.min_size");
  if (origin.kind == Origin::Kind::standard) origin = outcome.origin("compression.max_size");
  report(outcome, origin,
         {"bad-value",
          "nothing would be compressed: 'compression.min_size' is over 'compression.max_size'",
          {}});
}

void check_scheduling(Outcome& outcome) {
  const Config& config = outcome.config;
  if (config.sticky && !hands_over(config.scheduling)) {
    const Origin origin = outcome.origin("sticky");
    report(outcome, origin,
           {"bad-value",
            fmt::format("'sticky' needs the scheduling \"round_robin\" or \"least_connections\"; "
                        "with \"{}\" no process chooses the worker",
                        scheduling_name(config.scheduling)),
            {}});
  }
  const bool needs_counters = config.scheduling == Scheduling::least_connections ||
                              config.scheduling == Scheduling::reuseport;
  if (config.programs.empty() || !needs_counters) return;
  const Origin origin = outcome.origin("scheduling");
  report(outcome, origin,
         {"bad-value",
          fmt::format("the scheduling \"{}\" is not possible with programs, which are workers "
                      "without counters; \"round_robin\" and \"shared\" are",
                      scheduling_name(config.scheduling)),
          {}});
}

void check_programs(Outcome& outcome, const Environment& environment) {
  const std::string* path = find_variable(environment, "PATH");
  for (std::size_t i = 0; i < outcome.config.programs.size(); ++i) {
    const auto command =
        program_command(outcome.config.programs[i], path == nullptr ? std::string_view() : *path);
    if (command) continue;
    const Origin& origin = outcome.program_origins[i];
    report(outcome, origin, {"no-program", command.error().text, {}});
    if (!command.error().hint.empty()) outcome.problems.back().fact = command.error().hint;
  }
}

}  // namespace

void report(Outcome& outcome, const Origin& origin, const Span& span, const Complaint& complaint) {
  if (origin.kind == Origin::Kind::file) {
    outcome.problems.push_back(outcome.document.at(span, complaint));
    return;
  }
  Problem problem = make_problem(complaint);
  if (origin.kind == Origin::Kind::environment)
    problem.fact = "set by the environment variable " + origin.name;
  problem.on_command_line = origin.kind == Origin::Kind::command_line;
  outcome.problems.push_back(std::move(problem));
}

void report(Outcome& outcome, const Origin& origin, const Complaint& complaint) {
  report(outcome, origin, origin.span, complaint);
}

int directory_errno(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return errno;
  return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
}

void check_values(Outcome& outcome, const Inputs& inputs) {
  check_sites(outcome);
  check_access_log(outcome);
  check_access_log_format(outcome);
  check_listeners(outcome);
  check_control(outcome);
  check_account(outcome);
  check_routes(outcome, inputs);
  check_compression(outcome);
  check_scheduling(outcome);
  check_programs(outcome, inputs.environment);
}

}  // namespace pronghorn::config

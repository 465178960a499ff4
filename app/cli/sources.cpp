// SPDX-License-Identifier: Apache-2.0
#include "app/cli/sources.h"

#include "app/exit_codes.h"
#include "app/routes.h"
#include "config/program_command.h"
#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::app::cli {
namespace {

constexpr const char* kLocalFile = "./pronghorn.toml";

bool colour_of(const Sources& sources, const config::Environment& environment) {
  return use_colour(sources.colour, environment, ::isatty(STDERR_FILENO) == 1);
}

/// The directory beside a misspelled one, spelled as its neighbour was ("./sit" -> "./site").
std::string neighbour(const std::string& directory) {
  std::string name = directory;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  const auto slash = name.rfind('/');
  const std::string prefix = slash == std::string::npos ? "" : name.substr(0, slash + 1);
  const std::unique_ptr<DIR, int (*)(DIR*)> parent(::opendir(prefix.empty() ? "." : prefix.c_str()),
                                                   &::closedir);
  if (!parent) return {};
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(parent.get())) {
    struct stat status;
    if (entry->d_name[0] == '.') continue;
    if (::fstatat(::dirfd(parent.get()), entry->d_name, &status, 0) != 0 ||
        !S_ISDIR(status.st_mode))
      continue;
    names.emplace_back(entry->d_name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view meant =
      config::closest(std::string_view(name).substr(prefix.size()), views);
  return meant.empty() ? std::string() : prefix + std::string(meant);
}

std::string working_directory() {
  const std::unique_ptr<char, decltype(&::free)> path(::getcwd(nullptr, 0), &::free);
  return path ? path.get() : ".";
}

std::optional<Output> check_directory(const Sources& sources, bool colour) {
  const std::string& directory = *sources.directory;
  struct stat status;
  int error = ::stat(directory.c_str(), &status) == 0 ? 0 : errno;
  if (error == 0 && !S_ISDIR(status.st_mode)) error = ENOTDIR;
  if (error == 0 && ::access(directory.c_str(), X_OK) != 0) error = errno;
  if (error == 0) return std::nullopt;
  const std::string why = error == ENOENT ? "no such directory" : errno_text(error);
  std::vector<std::string> hints;
  if (error == ENOENT) {
    std::string hint = directory.starts_with('/') ? "" : "looked in " + working_directory();
    const std::string meant = neighbour(directory);
    if (!meant.empty())
      hint += fmt::format("{}did you mean '{}'?", hint.empty() ? "" : "   ", meant);
    if (!hint.empty()) hints.push_back(hint);
  }
  return failure(error == EACCES ? kNoPermission : kInvalidArgument, sources.program,
                 fmt::format("cannot serve '{}': {}", directory, why), hints, colour);
}

/// Before anything is read: what cannot run is the command line's mistake.
std::optional<Output> check_program(const Sources& sources, const config::Environment& environment,
                                    bool colour) {
  const std::string* path = config::find_variable(environment, "PATH");
  const auto command = config::program_command(*sources.program_to_run,
                                               path == nullptr ? std::string_view() : *path);
  if (command) return std::nullopt;
  const config::ProgramFault& fault = command.error();
  std::vector<std::string> hints;
  const std::string& file = sources.program_to_run->file;
  if (fault.error == ENOENT && fault.hint.empty() && !file.starts_with('/')) {
    hints.push_back("looked in " + working_directory());
  }
  if (!fault.hint.empty()) hints.push_back(fault.hint);
  return failure(fault.error == EACCES ? kNoPermission : kInvalidArgument, sources.program,
                 fault.text, hints, colour);
}

/// As root, a file that somebody else put into the working directory would rule the server.
std::optional<Output> refuse_untrusted(const Sources& sources, const struct stat& status,
                                       bool colour) {
  if (::geteuid() != 0) return std::nullopt;
  const bool others_write = (status.st_mode & S_IWOTH) != 0 || status.st_uid != 0 ||
                            ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0);
  if (!others_write) return std::nullopt;
  return failure(
      kBadConfiguration, sources.program,
      fmt::format("'{}' is not used: this is root, and others can write that file", kLocalFile),
      {fmt::format("to use it all the same: --config {}", kLocalFile)}, colour);
}

std::expected<std::string, Output> find_file(const Sources& sources,
                                             const config::Environment& environment,
                                             bool needs_source, bool colour) {
  if (sources.config_file) return *sources.config_file;
  const std::string* variable = config::find_variable(environment, "PRONGHORN_CONFIG");
  if (variable != nullptr && !variable->empty()) return *variable;
  // What is named runs alike wherever it is started.
  if (sources.directory || sources.program_to_run) return std::string();
  struct stat status;
  if (::stat(kLocalFile, &status) == 0) {
    if (auto refused = refuse_untrusted(sources, status, colour)) return std::unexpected(*refused);
    return std::string(kLocalFile).substr(2);
  }
  if (sources.system_file.empty()) return std::string();
  if (::stat(sources.system_file.c_str(), &status) == 0) return sources.system_file;
  if (!needs_source) return std::string();
  return std::unexpected(failure(kInvalidArgument, sources.program,
                                 "nothing to serve: no DIR and no configuration file",
                                 {fmt::format("looked for $PRONGHORN_CONFIG, {} in {}, {}",
                                              kLocalFile, working_directory(), sources.system_file),
                                  fmt::format("try: {} serve DIR, or {} serve --config FILE",
                                              sources.program, sources.program)},
                                 colour));
}

std::vector<config::Override> overrides_of(const Sources& sources) {
  std::vector<config::Override> overrides;
  const auto add = [&](std::string key, const std::optional<std::string>& value,
                       std::string option) {
    if (value) overrides.push_back({std::move(key), {*value}, std::move(option)});
  };
  add("root", sources.directory, "DIR");
  if (!sources.listen.empty()) overrides.push_back({"listen", sources.listen, "--listen"});
  add("workers", sources.workers, "--workers");
  add("log.level", sources.log_level, "--log-level");
  add("access_log", sources.access_log, "--access-log");
  add("scheduling", sources.scheduling, "--scheduling");
  add("user", sources.user, "--user");
  add("group", sources.group, "--group");
  if (sources.sticky) overrides.push_back({"sticky", {"true"}, "--sticky"});
  if (sources.listing) overrides.push_back({"listing", {"true"}, "--listing"});
  return overrides;
}

int code_of(const config::Outcome& outcome) {
  if (outcome.file_errno == EACCES) return kNoPermission;
  // A file that is not there is like a DIR that is not there: somebody named it.
  if (outcome.file_errno != 0) return kInvalidArgument;
  const bool only_options =
      std::ranges::all_of(outcome.problems, [](const config::Problem& problem) {
        return problem.on_command_line || problem.severity != config::Problem::Severity::error;
      });
  return only_options ? kInvalidArgument : kBadConfiguration;
}

}  // namespace

std::string problems_text(const config::Outcome& outcome, std::string_view program, bool colour) {
  std::string result;
  for (const config::Problem& problem : outcome.problems)
    result += config::render(problem, program, colour);
  const std::size_t errors = outcome.errors();
  if (errors == 0 || outcome.file_errno != 0) return result;
  if (outcome.has_syntax_errors())
    return result + "other problems are looked for once the syntax is right\n";
  const bool in_file = std::ranges::any_of(
      outcome.problems, [](const config::Problem& problem) { return problem.span.line > 0; });
  if (!in_file) return result;
  return result + fmt::format("{} error{} in {}; nothing was started\n", errors,
                              errors == 1 ? "" : "s", config::printable(outcome.file));
}

std::expected<Loaded, Output> load_sources(const Sources& sources,
                                           const config::Environment& environment,
                                           bool needs_source) {
  const bool colour = colour_of(sources, environment);
  if (sources.directory) {
    if (auto wrong = check_directory(sources, colour)) return std::unexpected(*wrong);
  }
  if (sources.program_to_run) {
    if (auto wrong = check_program(sources, environment, colour)) return std::unexpected(*wrong);
  }
  auto file = find_file(sources, environment, needs_source, colour);
  if (!file) return std::unexpected(file.error());
  Loaded loaded;
  loaded.outcome = config::load({.file = *file,
                                 .environment = environment,
                                 .environment_sets_keys = true,
                                 .command_line = overrides_of(sources),
                                 .program = sources.program_to_run,
                                 .route_check = route_check()});
  std::string text = problems_text(loaded.outcome, sources.program, colour);
  if (!loaded.outcome.ok()) {
    return std::unexpected(
        Output{.out = {}, .err = std::move(text), .code = code_of(loaded.outcome)});
  }
  loaded.warnings = std::move(text);
  return loaded;
}

}  // namespace pronghorn::app::cli

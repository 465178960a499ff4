// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <pronghorn/base/unique_fd.h>

#include "config/apply.h"
#include "config/check.h"
#include "config/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <numeric>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

extern char** environ;

namespace pronghorn::config {
namespace {

// A configuration is some kilobytes; somebody who names a disk image should hear so at once.
constexpr std::size_t kLargestFile = 4 * 1024 * 1024;

Result<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::unexpected(Error::system(errno, fmt::format("cannot read '{}'", path)));
  std::string text;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(Error::system(errno, fmt::format("cannot read '{}'", path)));
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kLargestFile) {
      return std::unexpected(Error::system(EFBIG, fmt::format("cannot read '{}'", path)));
    }
  }
}

void load_file(Outcome& outcome, const Environment& environment) {
  const auto text = read_file(outcome.file);
  if (!text) {
    outcome.file_errno = text.error().errno_value();
    outcome.problems.push_back(make_problem({"unreadable", text.error().message(), {}}));
    return;
  }
  outcome.document = read_document(*text, outcome.file);
  outcome.problems = outcome.document.problems;
  if (!outcome.has_syntax_errors()) apply_document(outcome, environment);
}

/// Those of one place keep their order. Not std::stable_sort: clang-19 rejects libstdc++ 12's,
/// which uses what C++17 deprecated.
void sort_by_place(std::vector<Problem>& problems) {
  std::vector<std::size_t> order(problems.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    return std::tuple(problems[i].span.line, problems[i].span.column, i);
  });
  std::vector<Problem> sorted;
  for (std::size_t i : order) sorted.push_back(std::move(problems[i]));
  problems = std::move(sorted);
}

}  // namespace

std::string Origin::text() const {
  switch (kind) {
    case Kind::standard:
      return "default";
    case Kind::file:
      return fmt::format("{}:{}", printable(name), span.line);
    case Kind::environment:
      return "environment " + name;
    case Kind::command_line:
      return "command line";
  }
  return {};
}

std::size_t Outcome::errors() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      problems, [](const Problem& p) { return p.severity == Problem::Severity::error; }));
}

Origin Outcome::origin(std::string_view key) const {
  const auto found = origins.find(key);
  return found == origins.end() ? Origin() : found->second;
}

Outcome load(const Inputs& inputs) {
  Outcome outcome;
  outcome.file = inputs.file;
  if (!outcome.file.empty()) load_file(outcome, inputs.environment);
  if (outcome.file_errno != 0 || outcome.has_syntax_errors()) return outcome;
  if (inputs.environment_sets_keys) apply_environment(outcome, inputs.environment);
  apply_command_line(outcome, inputs.command_line);
  settle_listeners(outcome);
  if (inputs.program) {
    outcome.config.programs = {*inputs.program};
    outcome.config.programs.front().workers = outcome.config.workers;
    outcome.program_origins = {
        {.kind = Origin::Kind::command_line, .name = "PROGRAM", .span = {}, .items = {}}};
  }
  // A program has no counters of ours, and shares as it does under Node.
  if (!outcome.config.programs.empty() && !outcome.origins.contains("scheduling")) {
    outcome.config.scheduling = Scheduling::round_robin;
  }
  check_values(outcome, inputs);
  sort_by_place(outcome.problems);
  return outcome;
}

Environment current_environment() {
  Environment result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

}  // namespace pronghorn::config

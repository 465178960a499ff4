// SPDX-License-Identifier: Apache-2.0
#include "config/print.h"

#include "config/apply.h"
#include "config/print_site.h"
#include "config/value.h"

#include <fmt/format.h>

#include <algorithm>

namespace pronghorn::config {
namespace {

// Origins stand in one column unless a value is too long for it.
constexpr std::size_t kOriginColumn = 40;

std::string joined(const std::vector<Line>& lines) {
  std::size_t width = 0;
  for (const Line& line : lines) {
    if (!line.origin.empty() && line.text.size() <= kOriginColumn)
      width = std::max(width, line.text.size());
  }
  std::string result;
  for (const Line& line : lines) {
    result += line.origin.empty() ? line.text
                                  : fmt::format("{:<{}}  # {}", line.text, width, line.origin);
    result += '\n';
  }
  return result;
}

/// Only what is the listener's own.
void add_listener(std::vector<Line>& lines, const Config& config, const Listener& listener,
                  const std::string& origin) {
  begin_table(lines, "[[listeners]]");
  lines.push_back({"address = " + literal(listener.address.text()), origin});
  Config own;
  own.limits = listener.limits;
  own.timeouts = listener.timeouts;
  for (const Key& key : schema()) {
    if (key.section() != "limits" && key.section() != "timeouts") continue;
    const std::string value = value_to_toml(key, key.read(own));
    if (value == value_to_toml(key, key.read(config))) continue;
    lines.push_back({fmt::format("{} = {}", key.name, value), {}});
  }
}

void add_route(std::vector<Line>& lines, const Route& route, const std::string& origin) {
  begin_table(lines, "[[routes]]");
  lines.push_back({"path = " + literal(route.path), origin});
  const bool is_echo = route.kind == Route::Kind::echo;
  lines.push_back({is_echo ? R"(handler = "echo")" : R"(handler = "text")", {}});
  if (!is_echo) lines.push_back({"text = " + literal(route.text), {}});
  auto add_limit = [&lines](std::string_view name, std::uint64_t value) {
    lines.push_back({fmt::format("{} = {}", name, value_to_toml(*find_key(name), value)), {}});
  };
  if (route.body_limit) add_limit("limits.body", *route.body_limit);
  if (route.requests_per_second != 0) {
    add_limit("limits.requests_per_second", route.requests_per_second);
  }
  if (route.requests_burst != 0) add_limit("limits.requests_burst", route.requests_burst);
}

void add_program(std::vector<Line>& lines, const Program& program, const std::string& origin) {
  begin_table(lines, "[[programs]]");
  if (!program.name.empty()) lines.push_back({"name = " + literal(program.name), {}});
  lines.push_back({"file = " + literal(program.file), origin});
  std::vector<std::string> args;
  for (const std::string& argument : program.args) args.push_back(literal(argument));
  if (!args.empty()) lines.push_back({fmt::format("args = [{}]", fmt::join(args, ", ")), {}});
  if (!program.node.empty()) lines.push_back({"node = " + literal(program.node), {}});
  lines.push_back(
      {program.workers == 0 ? R"(workers = "auto")" : fmt::format("workers = {}", program.workers),
       {}});
}

void add_types(std::vector<Line>& lines, const Config& config, const Outcome* outcome) {
  if (config.types.empty()) return;
  begin_table(lines, "[types]");
  for (const auto& [extension, type] : config.types) {
    const bool bare = extension.find('+') == std::string::npos;  // of what an extension may hold
    lines.push_back(
        {fmt::format("{} = {}", bare ? extension : literal(extension), literal(type)),
         outcome == nullptr ? std::string() : outcome->origin("types." + extension).text()});
  }
}

void add_sites(std::vector<Line>& lines, const Config& config, const SiteOrigins& origins,
               const std::vector<SiteOrigins>& host_origins) {
  add_rules(lines, config, origins, {});
  for (std::size_t i = 0; i < config.hosts.size(); ++i) {
    add_host(lines, config.hosts[i], i < host_origins.size() ? host_origins[i] : SiteOrigins());
  }
}

/// The words of a sentence in comment lines of at most 78 columns.
std::string comment(std::string_view sentence) {
  std::string result = "#";
  std::size_t width = 1;
  while (!sentence.empty()) {
    const auto space = sentence.find(' ');
    const std::string_view word = sentence.substr(0, space);
    if (width + 1 + word.size() > 78) {
      result += "\n#";
      width = 1;
    }
    result += ' ';
    result += word;
    width += 1 + word.size();
    sentence.remove_prefix(space == std::string_view::npos ? sentence.size() : space + 1);
  }
  return result + '\n';
}

}  // namespace

std::string print(const Outcome& outcome, bool only_changed) {
  const Config standard;
  std::vector<Line> lines;
  std::string_view section;
  for (const Key& key : schema()) {
    const std::string value = value_to_toml(key, key.read(outcome.config));
    if (only_changed && value == value_to_toml(key, key.read(standard))) continue;
    if (key.section() != section) {
      section = key.section();
      begin_table(lines, fmt::format("[{}]", section));
    }
    lines.push_back({fmt::format("{} = {}", key.leaf(), value), outcome.origin(key.name).text()});
  }
  add_types(lines, outcome.config, &outcome);
  for (std::size_t i = 0; i < outcome.config.listeners.size(); ++i) {
    add_listener(
        lines, outcome.config, outcome.config.listeners[i],
        i < outcome.listener_origins.size() ? outcome.listener_origins[i].text() : std::string());
  }
  for (std::size_t i = 0; i < outcome.config.routes.size(); ++i) {
    add_route(lines, outcome.config.routes[i],
              i < outcome.route_origins.size() ? outcome.route_origins[i].text() : std::string());
  }
  for (std::size_t i = 0; i < outcome.config.programs.size(); ++i) {
    add_program(
        lines, outcome.config.programs[i],
        i < outcome.program_origins.size() ? outcome.program_origins[i].text() : std::string());
  }
  add_sites(lines, outcome.config, outcome.site_origins, outcome.host_origins);
  return joined(lines);
}

std::string to_toml(const Config& config) {
  std::vector<Line> lines;
  std::string_view section;
  for (const Key& key : schema()) {
    if (key.section() != section) {
      section = key.section();
      begin_table(lines, fmt::format("[{}]", section));
    }
    lines.push_back({fmt::format("{} = {}", key.leaf(), value_to_toml(key, key.read(config))), {}});
  }
  add_types(lines, config, nullptr);
  for (const Listener& listener : config.listeners) add_listener(lines, config, listener, {});
  for (const Route& route : config.routes) add_route(lines, route, {});
  for (const Program& program : config.programs) add_program(lines, program, {});
  add_sites(lines, config, {}, {});
  return joined(lines);
}

Result<Config> from_toml(std::string_view text) {
  Outcome outcome;
  outcome.document = read_document(text, "the master's configuration");
  outcome.problems = outcome.document.problems;
  if (outcome.problems.empty()) apply_document(outcome, {});
  if (outcome.problems.empty()) settle_listeners(outcome);
  if (outcome.problems.empty()) return std::move(outcome.config);
  const Problem& first = outcome.problems.front();
  return std::unexpected(Error(
      fmt::format("{}:{}:{}: {}", first.file, first.span.line, first.span.column, first.message)));
}

std::string starter() {
  const Config standard;
  std::string result =
      "# Configuration of pronghorn. Every key stands here with its default, commented out.\n"
      "# Order: defaults < this file < environment < command line. Check it: pronghorn check "
      "FILE\n";
  std::string_view section;
  for (const Key& key : schema()) {
    if (key.section() != section) {
      section = key.section();
      result += fmt::format("\n[{}]\n", section);
    }
    result += "\n" + comment(key.doc);
    result += fmt::format("#{} = {}\n", key.leaf(), value_to_toml(key, key.read(standard)));
  }
  return result +
         "\n# Content types by extension, before the built-in ones.\n"
         "[types]\n#md = \"text/markdown; charset=utf-8\"\n"
         "\n# An address with limits of its own: any key of [limits] and [timeouts].\n"
         "#[[listeners]]\n#address = \"127.0.0.1:8080\"\n#limits.body = \"64MiB\"\n"
         "\n# An answer at a path, beside the files.\n"
         "#[[routes]]\n#path = \"/hello\"\n#handler = \"text\"\n#text = \"hello\\n\"\n"
         "\n# A program that runs as workers beside ours: a Node script, or what speaks its "
         "channel.\n"
         "#[[programs]]\n#file = \"app.js\"\n#workers = 2\n"
         "\n# A site of its own for a Host; rules for answers: docs/reference/site.md.\n"
         "#[[hosts]]\n#names = [\"example.org\", \"*.example.org\"]\n#root = \"/srv/example\"\n";
}

}  // namespace pronghorn::config

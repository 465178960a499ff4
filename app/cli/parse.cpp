// SPDX-License-Identifier: Apache-2.0
// The only file that sees CLI11. It gets no validators: its words for them are riddles.
#include "app/cli/parse.h"

#include "app/cli/help.h"
#include "app/cli/prepass.h"
#include "app/cli/table.h"
#include "app/exit_codes.h"
#include "config/units.h"
#include "config/value.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <map>

namespace pronghorn::app::cli {
namespace {

/// What CLI11 found, by the option's name.
struct Found {
  std::map<std::string, std::vector<std::string>, std::less<>> values;
  std::map<std::string, bool, std::less<>> flags;
  std::optional<std::string> argument;

  std::optional<std::string> last(std::string_view name) const {
    const auto it = values.find(name);
    return it == values.end() || it->second.empty() ? std::nullopt
                                                    : std::optional(it->second.back());
  }
  bool flag(std::string_view name) const {
    const auto it = flags.find(name);
    return it != flags.end() && it->second;
  }
};

struct Line {
  std::string program;
  CommandBit command = kServe;
  std::vector<std::string> arguments;
  bool has_commands = true;
  std::vector<std::string> program_args;  // of `run`: what stands behind PROGRAM
};

std::variant<Found, Output> run_cli11(const Line& line) {
  Found found;
  CLI::App parser;
  parser.set_help_flag();
  std::string argument;
  CLI::Option* positional = nullptr;
  if (!command_of(line.command).argument.empty())
    positional = parser.add_option("argument", argument);
  for (const OptionSpec& option : options()) {
    if ((option.commands & line.command) == 0) continue;
    const std::string name(option.name);
    const std::string names =
        option.letter == 0 ? "--" + name : fmt::format("-{},--{}", option.letter, name);
    if (option.value.empty()) {
      parser.add_flag(names, found.flags[name]);
    } else {
      parser.add_option(names, found.values[name])->allow_extra_args(false);
    }
  }
  try {
    // CLI11 takes its arguments from the back.
    parser.parse(std::vector<std::string>(line.arguments.rbegin(), line.arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return failure(kInvalidArgument, line.program, error.what());
  }
  if (positional != nullptr && positional->count() > 0) found.argument = argument;
  return found;
}

/// Values are checked here, so that their mistakes are the command line's (2) and not the file's
/// (78).
std::optional<Output> check_values(const Line& line, const Found& found) {
  for (const OptionSpec& option : options()) {
    const auto it = found.values.find(option.name);
    if (it == found.values.end() || it->second.empty()) continue;
    const std::string dashed = fmt::format("--{}", option.name);
    if (!option.repeatable && it->second.size() > 1) {
      return failure(kInvalidArgument, line.program,
                     fmt::format("option '{}' is here a second time", dashed));
    }
    const config::Key* key = config::find_key(option.key);
    for (const std::string& value : it->second) {
      if (key == nullptr) continue;
      const auto checked = config::value_from_text(*key, value, dashed);
      if (checked) continue;
      const std::string& meant = checked.error().suggestion;
      std::vector<std::string> hints;
      if (!meant.empty()) hints.push_back(fmt::format("did you mean '{}'?", meant));
      return failure(kInvalidArgument, line.program, checked.error().message, hints);
    }
  }
  return std::nullopt;
}

Sources sources_of(const Line& line, const Found& found, Colour colour) {
  Sources sources;
  sources.program = line.program;
  sources.directory = found.argument;
  sources.config_file = found.last("config");
  if (const auto it = found.values.find("listen"); it != found.values.end())
    sources.listen = it->second;
  sources.workers = found.last("workers");
  sources.log_level = found.last("log-level");
  sources.access_log = found.last("access-log");
  sources.scheduling = found.last("scheduling");
  sources.sticky = found.flag("sticky");
  sources.listing = found.flag("listing");
  sources.user = found.last("user");
  sources.group = found.last("group");
  if (!line.has_commands) sources.system_file.clear();
  sources.colour = colour;
  return sources;
}

Parsed show_config(const Line& line, const Found& found, Colour colour) {
  ShowConfig show{.sources = sources_of(line, found, colour),
                  .changed = found.flag("changed"),
                  .starter = found.flag("default"),
                  .reference = found.flag("reference")};
  if (show.changed + show.starter + show.reference > 1) {
    return failure(kInvalidArgument, line.program,
                   "--changed, --default and --reference exclude each other");
  }
  return show;
}

template <class Command>
Parsed asking(const Line& line, const Found& found, Colour colour) {
  Command command{.ask = {.control = found.last("control"),
                          .pid = {},
                          .json = found.flag("json"),
                          .colour = colour}};
  const auto pid = found.last("pid");
  if (!pid) return command;
  const auto number = config::parse_count(*pid);
  if (!number || *number == 0) {
    return failure(kInvalidArgument, line.program,
                   fmt::format("--pid must be a process id, not '{}'", *pid));
  }
  command.ask.pid = static_cast<std::int64_t>(*number);
  return command;
}

Parsed run_of(const Line& line, const Found& found, Colour colour) {
  Run run{sources_of(line, found, colour)};
  run.sources.directory.reset();
  run.sources.program_to_run = config::Program{.name = found.last("name").value_or(""),
                                               .file = *found.argument,
                                               .args = line.program_args,
                                               .node = found.last("node").value_or(""),
                                               .workers = 0};
  return run;
}

Parsed help_of(const Line& line, const Found& found) {
  if (!found.argument) return Output{.out = program_help(), .err = {}, .code = kSuccess};
  const CommandSpec* command = find_command(*found.argument);
  if (command == nullptr) return unknown_command(line.program, *found.argument);
  return Output{.out = command_help(command->bit), .err = {}, .code = kSuccess};
}

Parsed parse_line(const Line& line) {
  if (auto refused = refuse_unknown(line.program, line.command, line.arguments, line.has_commands))
    return *refused;
  auto result = run_cli11(line);
  if (const auto* failed = std::get_if<Output>(&result)) return *failed;
  const Found& found = std::get<Found>(result);
  if (found.flag("help")) {
    return Output{
        .out = line.has_commands ? command_help(line.command) : serve_only_help(line.program),
        .err = {},
        .code = kSuccess};
  }
  if (found.flag("version")) return Output{.out = version_line(), .err = {}, .code = kSuccess};
  if (auto wrong = check_values(line, found)) return *wrong;
  Colour colour = Colour::automatic;
  if (const auto word = found.last("color"); word && !parse_colour(*word, colour)) {
    return failure(kInvalidArgument, line.program,
                   fmt::format("--color must be auto, always or never, not '{}'", *word));
  }
  const CommandSpec& spec = command_of(line.command);
  if (spec.argument_required && !found.argument) {
    return failure(kInvalidArgument, line.program,
                   fmt::format("'{}' needs a {}", spec.name, spec.argument),
                   {fmt::format("try: {} {} {}", line.program, spec.name,
                                spec.bit == kRun ? "app.js" : "pronghorn.toml")});
  }
  switch (line.command) {
    case kCheck:
      return Check{.file = *found.argument, .json = found.flag("json"), .colour = colour};
    case kConfig:
      return show_config(line, found, colour);
    case kRun:
      return run_of(line, found, colour);
    case kStatus:
      return asking<Status>(line, found, colour);
    case kReopen:
      return asking<Reopen>(line, found, colour);
    case kHelp:
      return help_of(line, found);
    default:
      return Serve{sources_of(line, found, colour)};
  }
}

std::vector<std::string> words_from(int argc, const char* const* argv, int first) {
  std::vector<std::string> words;
  for (int i = first; i < argc; ++i) words.emplace_back(argv[i]);
  return words;
}

}  // namespace

Parsed parse_program(int argc, const char* const* argv) {
  const std::string program = "pronghorn";
  if (argc < 2) return Output{.out = {}, .err = program_help(), .code = kInvalidArgument};
  const std::string first = argv[1];
  if (first == "--help" || first == "-h")
    return Output{.out = program_help(), .err = {}, .code = kSuccess};
  if (first == "--version" || first == "-V")
    return Output{.out = version_line(), .err = {}, .code = kSuccess};
  if (first.starts_with('-')) {
    // `pronghorn --listen …` without a command: an option of serve, most likely.
    const std::string dashed =
        first.starts_with("--") ? first.substr(0, first.find('=')) : first.substr(0, 2);
    const auto unknown = refuse_unknown(program, kServe, {dashed, ""}, true);
    if (unknown && find_option(dashed, kServe) == nullptr) return *unknown;
    return failure(kInvalidArgument, program, fmt::format("'{}' needs a command before it", dashed),
                   {fmt::format("try: pronghorn serve {} …", dashed)});
  }
  const CommandSpec* command = find_command(first);
  if (command == nullptr) return unknown_command(program, first);
  std::vector<std::string> words = words_from(argc, argv, 2);
  std::vector<std::string> behind;
  if (command->bit == kRun) behind = split_behind_argument(words, kRun);
  return parse_line({program, command->bit, std::move(words), true, std::move(behind)});
}

Parsed parse_serve_only(int argc, const char* const* argv) {
  std::string program = argc > 0 ? argv[0] : "";
  program.erase(0, program.rfind('/') == std::string::npos ? 0 : program.rfind('/') + 1);
  if (program.empty()) program = "pronghorn";
  return parse_line({program, kServe, words_from(argc, argv, 1), false, {}});
}

}  // namespace pronghorn::app::cli

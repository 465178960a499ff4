// SPDX-License-Identifier: Apache-2.0
#include "app/cli/help.h"

#include <fmt/format.h>

#include <cstdint>

namespace pronghorn::app::cli {
namespace {

constexpr std::size_t kDocColumn = 25;

std::string option_line(const OptionSpec& option) {
  std::string names = option.letter == 0 ? "      " : fmt::format("  -{}, ", option.letter);
  names += fmt::format("--{}", option.name);
  if (!option.value.empty()) names += fmt::format(" {}", option.value);
  return fmt::format("{:<{}}{}\n", names, kDocColumn, option.doc);
}

enum class Shown : std::uint8_t { all, usual };

/// Those of a service manager's unit or of a file, rather than of a person at a terminal.
bool is_rare(const OptionSpec& option) { return option.name == "user" || option.name == "group"; }

std::string option_lines(CommandBit command, Shown shown = Shown::all) {
  std::string result;
  for (const OptionSpec& option : options()) {
    if ((option.commands & command) == 0 || option.doc.empty()) continue;
    if (shown == Shown::all || !is_rare(option)) result += option_line(option);
  }
  return result + "  -h, --help   -V, --version";
}

std::string usage(const CommandSpec& command) {
  std::string result = fmt::format("pronghorn {}", command.name);
  if (!command.argument.empty()) result += fmt::format(" {}", command.argument);
  return result;
}

std::string_view examples(CommandBit command) {
  switch (command) {
    case kServe:
      return "  pronghorn serve ./site                   serve it on http://127.0.0.1:8080\n"
             "  pronghorn serve ./site -l 0.0.0.0:80     the same, for the network\n"
             "  pronghorn serve --config pronghorn.toml  serve what the file says\n\n"
             "Without DIR and --config: $PRONGHORN_CONFIG, ./pronghorn.toml, then\n"
             "/etc/pronghorn/pronghorn.toml.\n";
    case kRun:
      return "  pronghorn run app.js                     on every core, as it is\n"
             "  pronghorn run -w 4 app.js --port 3000    what follows PROGRAM is its own\n\n"
             "Directly behind it --workers, --node, --scheduling and --sticky count, too, up\n"
             "to a '--': pronghorn run app.js --workers 4\n"
             "PROGRAM: a Node script (.js, .cjs, .mjs, or any with --node), or an executable\n"
             "that speaks Node's channel. The master listens for it and hands connections\n"
             "over, replaces what dies, and stops without loss. Of a file these keys count:\n"
             "workers scheduling sticky user group drain_timeout control log.level.\n";
    case kCheck:
      return "  pronghorn check pronghorn.toml           exit 0: no mistakes, 78: some\n"
             "  pronghorn check --json pronghorn.toml    one object per mistake\n\n"
             "Nothing is started, opened for writing or changed.\n";
    case kConfig:
      return "  pronghorn config -c pronghorn.toml       what serve would use, and why\n"
             "  pronghorn config --changed               only what is not a default\n"
             "  pronghorn config --default > pronghorn.toml\n\n"
             "The output is a valid file.\n";
    case kStatus:
      return "  pronghorn status                         exit 0: OK, 1: not, 69: no server\n"
             "  pronghorn status --json                  for programs\n";
    case kReopen:
      return "  pronghorn reopen                         exit 0: done, 1: not, 69: no server\n"
             "  mv access.log old.log && pronghorn reopen && gzip old.log\n\n"
             "Comes back when no worker writes to the old access log any more. SIGUSR1 to the\n"
             "master does the same without an answer.\n";
    default:
      return "  pronghorn help serve\n";
  }
}

}  // namespace

std::string program_help() {
  std::string result =
      "pronghorn - a web server on every core that stays up\n"
      "  pronghorn serve ./site                   serve it on http://127.0.0.1:8080\n"
      "  pronghorn run app.js                     a Node program on every core\n\n"
      "Commands\n";
  for (const CommandSpec& command : commands()) {
    const std::string left = fmt::format("{} {}", command.name, command.argument);
    result += fmt::format("  {:<16}{}\n", left, command.doc);
  }
  result += "\nOptions of serve\n" + option_lines(kServe, Shown::usual);
  return result + "     more: pronghorn help serve\n";
}

std::string command_help(CommandBit bit) {
  const CommandSpec& command = command_of(bit);
  return fmt::format("{} - {}\n\n{}\nOptions\n{}\n", usage(command), command.doc, examples(bit),
                     option_lines(bit));
}

std::string serve_only_help(std::string_view program) {
  return fmt::format(
      "{0} [DIR] - a web server made with pronghorn\n\n"
      "  {0}                        listen on http://127.0.0.1:8080\n"
      "  {0} --listen 0.0.0.0:80    the same, for the network\n\n"
      "DIR holds files to serve. Without DIR and --config: $PRONGHORN_CONFIG, then\n"
      "./pronghorn.toml, if there is one.\n\n"
      "Options\n{1}\n",
      program, option_lines(kServe));
}

}  // namespace pronghorn::app::cli

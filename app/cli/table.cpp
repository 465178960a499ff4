// SPDX-License-Identifier: Apache-2.0
#include "app/cli/table.h"

namespace pronghorn::app::cli {
namespace {

constexpr CommandSpec kCommands[] = {
    {kServe, "serve", "[DIR]", false, "run in the foreground"},
    {kRun, "run", "PROGRAM", true, "a Node program on every core"},
    {kCheck, "check", "FILE", true, "find every mistake in a file"},
    {kConfig, "config", "[DIR]", false, "values and their origins"},
    {kStatus, "status", "", false, "workers, traffic, exits"},
    {kReopen, "reopen", "", false, "open the access log anew"},
    {kHelp, "help", "[COMMAND]", false, "this, or more on a command"},
};

constexpr unsigned kSources = kServe | kConfig;
constexpr unsigned kAsk = kStatus | kReopen;
constexpr unsigned kSettings = kSources | kRun;

constexpr OptionSpec kOptions[] = {
    {"listen", 'l', "ADDR", kSources, true, "HOST:PORT or unix:PATH, repeatable [127.0.0.1:8080]",
     "listen"},
    {"listing", 0, "", kSources, false, "show directories that have no index [off]", "listing"},
    {"workers", 'w', "N", kSettings, false, "number, or auto: CPUs we may use [auto]", "workers"},
    {"config", 'c', "FILE", kSettings, false, "TOML; the command line wins over it", ""},
    {"access-log", 0, "PATH", kSources, false,
     "file, '-' for stderr, or off [terminal: -, else off]", "access_log"},
    {"scheduling", 0, "S", kSources, false, "shared reuseport round_robin least_connections",
     "scheduling"},
    // A program counts nothing for us, which the others need.
    {"scheduling", 0, "S", kRun, false, "round_robin shared [round_robin]", "scheduling"},
    {"sticky", 0, "", kSettings, false, "a client's connections go to one worker", "sticky"},
    {"user", 0, "NAME", kSettings, false, "that workers run as, started as root [root]", "user"},
    {"group", 0, "NAME", kSettings, false, "that workers run as [the user's]", "group"},
    {"node", 0, "PATH", kRun, false, "what runs a script [the node on the PATH]", ""},
    {"name", 0, "NAME", kRun, false, "in the log and in status [the file's]", ""},
    {"log-level", 0, "L", kSettings, false, "trace debug info notice warn error critical [info]",
     "log.level"},
    {"changed", 0, "", kConfig, false, "only what differs from the defaults", ""},
    {"default", 0, "", kConfig, false, "a commented file to begin with", ""},
    {"reference", 0, "", kConfig, false, "every key, in Markdown", ""},
    {"control", 0, "PATH", kAsk, false, "control socket of the server [the running one's]", ""},
    {"pid", 0, "N", kAsk, false, "process id of the server's master", ""},
    {"json", 0, "", kCheck | kAsk, false, "for programs", ""},
    {"color", 0, "WHEN", kAll, false, "auto always never [auto]", ""},
    {"help", 'h', "", kAll, false, "", ""},
    {"version", 'V', "", kAll, false, "", ""},
};

}  // namespace

std::span<const CommandSpec> commands() { return kCommands; }
std::span<const OptionSpec> options() { return kOptions; }

const CommandSpec* find_command(std::string_view name) {
  for (const CommandSpec& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

const CommandSpec& command_of(CommandBit bit) {
  for (const CommandSpec& command : kCommands) {
    if (command.bit == bit) return command;
  }
  return kCommands[0];
}

const OptionSpec* find_option(std::string_view dashed, CommandBit command) {
  for (const OptionSpec& option : kOptions) {
    if ((option.commands & command) == 0) continue;
    const bool is_long = dashed.starts_with("--") && dashed.substr(2) == option.name;
    const bool is_letter = option.letter != 0 && dashed.size() == 2 && dashed[1] == option.letter;
    if (is_long || is_letter) return &option;
  }
  return nullptr;
}

}  // namespace pronghorn::app::cli

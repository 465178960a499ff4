// SPDX-License-Identifier: Apache-2.0
// The commands and options that exist: the parser, the help and the suggestions are made from here.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pronghorn::app::cli {

/// One bit each, so that an option can say which commands take it.
enum CommandBit : unsigned {
  kServe = 1,
  kCheck = 2,
  kConfig = 4,
  kStatus = 8,
  kHelp = 16,
  kRun = 32,
  kReopen = 64,
  kAll = 127
};

struct CommandSpec {
  CommandBit bit;
  std::string_view name;
  std::string_view argument;  ///< "[DIR]", "FILE"; empty: none
  bool argument_required;
  std::string_view doc;
};

struct OptionSpec {
  std::string_view name;   ///< "listen", without the dashes
  char letter;             ///< 0: none
  std::string_view value;  ///< "ADDR"; empty: a flag
  unsigned commands;       ///< CommandBits
  bool repeatable;
  std::string_view doc;
  std::string_view key;  ///< of the configuration, which it overrides; empty: none
};

std::span<const CommandSpec> commands();
std::span<const OptionSpec> options();

const CommandSpec* find_command(std::string_view name);
const CommandSpec& command_of(CommandBit bit);
/// By "--name" or "-l", among those that the command takes; null: none.
const OptionSpec* find_option(std::string_view dashed, CommandBit command);

}  // namespace pronghorn::app::cli

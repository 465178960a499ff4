// SPDX-License-Identifier: Apache-2.0
#include "app/cli/prepass.h"

#include "app/exit_codes.h"
#include "config/config.h"
#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sys/stat.h>

namespace pronghorn::app::cli {
namespace {

/// "-" is a value (standard error), and so is a negative number.
bool looks_like_option(const std::string& word) {
  return word.size() >= 2 && word[0] == '-' && (word[1] < '0' || word[1] > '9');
}

/// How many words an option takes: 2 with a value of its own.
std::size_t words_of(const std::string& word, CommandBit command) {
  const bool is_long = word.starts_with("--");
  const auto equals = word.find('=');
  const bool carries_value = is_long ? equals != std::string::npos : word.size() > 2;
  const OptionSpec* option =
      find_option(is_long ? word.substr(0, equals) : word.substr(0, 2), command);
  return option != nullptr && !option->value.empty() && !carries_value ? 2 : 1;
}

/// Options that say how the program is run, and are no program's own: `run app.js --workers 4`.
bool may_follow_argument(const std::string& word) {
  constexpr std::array<std::string_view, 4> kNames{"--workers", "--node", "--scheduling",
                                                   "--sticky"};
  return std::ranges::find(kNames, std::string_view(word).substr(0, word.find('='))) !=
         kNames.end();
}

Output unknown_option(const std::string& program, CommandBit command, const std::string& dashed,
                      bool has_commands) {
  std::vector<std::string_view> names;
  for (const OptionSpec& option : options()) {
    if ((option.commands & command) != 0) names.push_back(option.name);
  }
  const std::string help = has_commands
                               ? fmt::format("{} {} --help", program, command_of(command).name)
                               : program + " --help";
  std::string hint;
  if (dashed.starts_with("--")) {
    const std::string word = dashed.substr(2);
    std::string_view meant = config::closest(word, names);
    const config::Alias* alias = config::find_alias(word);
    for (const OptionSpec& option : options()) {
      const bool is_theirs = alias != nullptr && !alias->key.empty() && option.key == alias->key;
      if (meant.empty() && is_theirs && (option.commands & command) != 0) meant = option.name;
    }
    if (!meant.empty()) hint = fmt::format("did you mean '--{}'?   ", meant);
  }
  return failure(kInvalidArgument, program, fmt::format("unknown option '{}'", dashed),
                 {fmt::format("{}all options: {}", hint, help)});
}

}  // namespace

std::optional<Output> refuse_unknown(const std::string& program, CommandBit command,
                                     const std::vector<std::string>& arguments, bool has_commands) {
  const CommandSpec& spec = command_of(command);
  const std::string* argument = nullptr;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--") break;
    if (!looks_like_option(word)) {
      if (spec.argument.empty()) {
        return failure(kInvalidArgument, program, fmt::format("unexpected '{}'", word),
                       {fmt::format("'{}' takes options only", spec.name)});
      }
      if (argument != nullptr) {
        return failure(
            kInvalidArgument, program, fmt::format("unexpected '{}'", word),
            {fmt::format("'{}' stands there already, and one is all it takes", *argument)});
      }
      argument = &word;
      continue;
    }
    const bool is_long = word.starts_with("--");
    const auto equals = word.find('=');
    const std::string dashed = is_long ? word.substr(0, equals) : word.substr(0, 2);
    const OptionSpec* option = find_option(dashed, command);
    if (option == nullptr) return unknown_option(program, command, dashed, has_commands);
    const bool carries_value = is_long ? equals != std::string::npos : word.size() > 2;
    if (option->value.empty()) {
      if (is_long && carries_value) {
        return failure(kInvalidArgument, program,
                       fmt::format("option '{}' takes no value", dashed));
      }
      continue;
    }
    if (carries_value) continue;
    if (i + 1 == arguments.size() || looks_like_option(arguments[i + 1])) {
      return failure(kInvalidArgument, program, fmt::format("option '{}' needs a value", dashed),
                     {fmt::format("{} {}: {}", dashed, option->value, option->doc)});
    }
    ++i;
  }
  return std::nullopt;
}

std::vector<std::string> split_behind_argument(std::vector<std::string>& arguments,
                                               CommandBit command) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool is_end = arguments[i] == "--";
    if (!is_end && looks_like_option(arguments[i])) {
      i += words_of(arguments[i], command) - 1;
      continue;
    }
    i = std::min(i + (is_end ? 2 : 1), arguments.size());
    while (!is_end && i < arguments.size() && may_follow_argument(arguments[i])) {
      i = std::min(i + words_of(arguments[i], command), arguments.size());
    }
    const auto first = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    const bool has_mark = !is_end && first != arguments.end() && *first == "--";
    std::vector<std::string> behind(first + (has_mark ? 1 : 0), arguments.end());
    arguments.erase(first, arguments.end());
    return behind;
  }
  return {};
}

Output unknown_command(const std::string& program, const std::string& word) {
  std::vector<std::string_view> names;
  std::string all;
  for (const CommandSpec& command : commands()) {
    names.push_back(command.name);
    all += fmt::format(" {}", command.name);
  }
  const std::string text = fmt::format("unknown command '{}'", word);
  struct stat status;
  if (::stat(word.c_str(), &status) == 0) {
    config::Program named;
    named.file = word;
    const bool is_directory = S_ISDIR(status.st_mode);
    if (is_directory || named.is_script()) {
      return failure(kInvalidArgument, program, text,
                     {fmt::format("try: {} {} {}", program, is_directory ? "serve" : "run", word)});
    }
  }
  const std::string_view meant = config::closest(word, names);
  const std::string hint =
      meant.empty() ? std::string() : fmt::format("did you mean '{}'?   ", meant);
  return failure(kInvalidArgument, program, text, {fmt::format("{}commands:{}", hint, all)});
}

}  // namespace pronghorn::app::cli

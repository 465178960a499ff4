// SPDX-License-Identifier: Apache-2.0
#include "app/cli/help.h"

#include "app/cli/colour.h"
#include "app/exit_codes.h"
#include "config/schema.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace cli = pronghorn::app::cli;

namespace {

void fits_a_terminal(const std::string& text) {
  std::istringstream stream(text);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
  }
  CHECK(lines <= 24);
  CHECK(text.ends_with('\n'));
}

}  // namespace

TEST_CASE("help: every text fits 80 x 24") {
  fits_a_terminal(cli::program_help());
  fits_a_terminal(cli::serve_only_help("hello"));
  for (const cli::CommandSpec& command : cli::commands())
    fits_a_terminal(cli::command_help(command.bit));
}

TEST_CASE("help: names every command, and every option where it is taken and nowhere else") {
  for (const cli::CommandSpec& command : cli::commands()) {
    CHECK(cli::program_help().find("\n  " + std::string(command.name) + " ") != std::string::npos);
    for (const cli::OptionSpec& option : cli::options()) {
      CAPTURE(command.name);
      CAPTURE(option.name);
      const std::string help = cli::command_help(command.bit);
      const std::string name(option.name);
      // A line of its own, or in the last one, unlike the mention in an example.
      const bool named = help.find("      --" + name + " ") != std::string::npos ||
                         help.find(", --" + name) != std::string::npos;
      // An option may have a line for each of several commands.
      CHECK(named == std::ranges::any_of(cli::options(), [&](const cli::OptionSpec& other) {
              return other.name == option.name && (other.commands & command.bit) != 0;
            }));
    }
  }
}

TEST_CASE("help: an option that overrides a key names one that exists") {
  for (const cli::OptionSpec& option : cli::options()) {
    if (!option.key.empty()) CHECK(pronghorn::config::find_key(option.key) != nullptr);
  }
}

TEST_CASE("version: one line of the agreed form") {
  const std::string line = cli::version_line();
  CHECK(line.starts_with("pronghorn "));
  CHECK(line.find(" (libuv 1.") != std::string::npos);
  CHECK(line.find(", llhttp 8.1.0, ") != std::string::npos);
  CHECK(line.find(", Linux ") != std::string::npos);
  CHECK(line.find('\n') == line.size() - 1);
}

TEST_CASE("exit codes: the reference page has each of them with its name") {
  const std::string folder = std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/'));
  std::ifstream file(folder + "/../../../docs/reference/exit-codes.md");
  std::ostringstream text;
  text << file.rdbuf();
  using namespace pronghorn::app;
  const std::pair<int, std::string> codes[] = {{kSuccess, "SUCCESS"},
                                               {kFailure, "FAILURE"},
                                               {kInvalidArgument, "INVALIDARGUMENT"},
                                               {kUnavailable, "UNAVAILABLE"},
                                               {kSoftware, "SOFTWARE"},
                                               {kTemporaryFailure, "TEMPFAIL"},
                                               {kNoPermission, "NOPERM"},
                                               {kBadConfiguration, "CONFIG"}};
  for (const auto& [code, name] : codes) {
    CAPTURE(name);
    CHECK(text.str().find("| " + std::to_string(code) + " | " + name + " |") != std::string::npos);
  }
}

TEST_CASE("colour: --color > NO_COLOR > CLICOLOR_FORCE, FORCE_COLOR > TERM=dumb > terminal") {
  using cli::Colour;
  using cli::use_colour;
  CHECK(use_colour(Colour::always, {{"NO_COLOR", "1"}}, false));
  CHECK_FALSE(use_colour(Colour::never, {{"FORCE_COLOR", "1"}}, true));
  CHECK_FALSE(use_colour(Colour::automatic, {{"NO_COLOR", "1"}, {"FORCE_COLOR", "1"}}, true));
  CHECK(use_colour(Colour::automatic, {{"NO_COLOR", ""}}, true));
  CHECK(use_colour(Colour::automatic, {{"FORCE_COLOR", "1"}, {"TERM", "dumb"}}, false));
  CHECK(use_colour(Colour::automatic, {{"CLICOLOR_FORCE", "1"}}, false));
  CHECK_FALSE(use_colour(Colour::automatic, {{"CLICOLOR_FORCE", "0"}}, false));
  CHECK_FALSE(use_colour(Colour::automatic, {{"TERM", "dumb"}}, true));
  CHECK(use_colour(Colour::automatic, {}, true));
  CHECK_FALSE(use_colour(Colour::automatic, {}, false));
}

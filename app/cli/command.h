// SPDX-License-Identifier: Apache-2.0
// A command line as a value.
#pragma once

#include "app/cli/colour.h"
#include "app/cli/output.h"
#include "config/config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pronghorn::app::cli {

/// Where the configuration comes from: what serve and config take.
struct Sources {
  std::string program = "pronghorn";  ///< what errors begin with
  std::optional<std::string> directory;
  std::optional<std::string> config_file;
  std::vector<std::string> listen;  ///< values were checked
  std::optional<std::string> workers;
  std::optional<std::string> log_level;
  std::optional<std::string> access_log;
  std::optional<std::string> scheduling;
  bool sticky = false;
  bool listing = false;
  std::optional<std::string> user;
  std::optional<std::string> group;
  std::optional<config::Program> program_to_run;  ///< of `run`
  /// Looked at last; with none of the places there, it is a mistake to name nothing. Empty for a
  /// library user's program: it may run on defaults, and the system's file is not its own.
  std::string system_file = "/etc/pronghorn/pronghorn.toml";
  Colour colour = Colour::automatic;
};

struct Serve {
  Sources sources;
};
/// `run`: sources.program_to_run is set.
struct Run {
  Sources sources;
};
struct Check {
  std::string file;
  bool json = false;
  Colour colour = Colour::automatic;
};
struct ShowConfig {
  Sources sources;
  bool changed = false;
  bool starter = false;  ///< --default
  bool reference = false;
};
/// What the commands that ask a running server share.
struct Ask {
  std::optional<std::string> control;
  std::optional<std::int64_t> pid;
  bool json = false;
  Colour colour = Colour::automatic;
};
struct Status {
  Ask ask;
};
struct Reopen {
  Ask ask;
};

/// Output: nothing more to do than to emit() it: help, version, or a mistake (exit code 2).
using Parsed = std::variant<Serve, Run, Check, ShowConfig, Status, Reopen, Output>;

}  // namespace pronghorn::app::cli

// SPDX-License-Identifier: Apache-2.0
// What is started for a Program: looked at before anything starts, by `check`, serve and run.
#pragma once

#include <pronghorn/config/config.h>

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::config {

struct ProgramCommand {
  std::string file;  ///< with a '/', or found on the PATH at each start
  std::vector<std::string> args;
};

struct ProgramFault {
  int error = 0;     ///< ENOENT, EACCES, EISDIR …
  std::string text;  ///< "cannot run 'app.js': no such file"
  std::string hint;  ///< what to do; empty: no idea
};

/// Asks stat(2) and access(2) for the files that it names.  @param path  the PATH
std::expected<ProgramCommand, ProgramFault> program_command(const Program& program,
                                                            std::string_view path);

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
#include "process/start_error.h"

#include <fmt/format.h>

#include <cerrno>

namespace pronghorn::process {

Error start_error(const LaunchFailure& failure, const Command& command, const std::string& cwd,
                  std::string_view function) {
  std::string what = fmt::format("cannot start '{}'", command.file);
  // Node names the command here too, which sends people looking for the wrong file.
  if (failure.step == LaunchStep::directory) what += fmt::format(" in '{}'", cwd);
  if (failure.step == LaunchStep::identity) what += " with the given uid and gid";
  return Error::system(failure.error, what)
      .with_call({.syscall = fmt::format("{} {}", function, command.file),
                  .path = command.file,
                  .spawnargs = {command.argv.begin() + 1, command.argv.end()}});
}

bool is_told_later(int error) noexcept {
  return error == ENOENT || error == EACCES || error == EAGAIN || error == EMFILE ||
         error == ENFILE;
}

}  // namespace pronghorn::process

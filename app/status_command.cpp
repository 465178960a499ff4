// SPDX-License-Identifier: Apache-2.0
#include "app/status_command.h"

#include "app/cli/output.h"
#include "app/exit_codes.h"
#include "master/control_client.h"
#include "master/control_path.h"

#include <fmt/format.h>

#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace pronghorn::app {
namespace {

unsigned terminal_columns() {
  winsize size{};
  return ::isatty(STDOUT_FILENO) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0
             ? size.ws_col
             : 0;
}

cli::Output unavailable(const cli::Status& command, const std::string& text,
                        const std::vector<std::string>& hints) {
  bool colour = cli::use_colour(command.colour, STDERR_FILENO);
  return cli::failure(kUnavailable, "pronghorn", text, hints, colour);
}

cli::Output several(const cli::Status& command, const std::vector<master::ControlSocket>& sockets) {
  bool colour = cli::use_colour(command.colour, STDERR_FILENO);
  std::string pids;
  for (const auto& socket : sockets)
    pids += fmt::format("{}{}", pids.empty() ? "" : ", ", socket.pid);
  return cli::failure(kInvalidArgument, "pronghorn",
                      fmt::format("{} servers run here: pids {}", sockets.size(), pids),
                      {fmt::format("try: pronghorn status --pid {}", sockets.front().pid)}, colour);
}

cli::Output show(const cli::Status& command, const std::string& path) {
  auto answer = master::ask(path, "status");
  if (!answer) return unavailable(command, answer.error().message(), {});
  auto status = master::parse_status(*answer);
  if (!status) return unavailable(command, status.error().message(), {});
  cli::Output output;
  output.code = status->verdict == "OK" ? kSuccess : kFailure;
  output.out = command.json ? *answer + "\n"
                            : status_text(*status, terminal_columns(),
                                          cli::use_colour(command.colour, STDOUT_FILENO));
  return output;
}

cli::Output find_and_show(const cli::Status& command) {
  if (command.control) return show(command, *command.control);
  // The variable that `serve` takes its `control` key from, unless a server is named otherwise.
  const char* variable = std::getenv("PRONGHORN_CONTROL");
  if (!command.pid && variable != nullptr && *variable != '\0') return show(command, variable);
  std::string folder = master::control_folder();
  if (command.pid)
    return show(command, master::control_path(folder, static_cast<int>(*command.pid)));
  auto sockets = master::find_control_sockets(folder);
  if (sockets.empty()) {
    return unavailable(
        command, "no server of this user is running",
        {"looked in " + folder, "try: --control PATH, if its configuration sets 'control'"});
  }
  if (sockets.size() > 1) return several(command, sockets);
  return show(command, sockets.front().path);
}

}  // namespace

int run_status(const cli::Status& command) { return find_and_show(command).emit(); }

}  // namespace pronghorn::app

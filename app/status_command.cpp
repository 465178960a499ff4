// SPDX-License-Identifier: Apache-2.0
#include "app/status_command.h"

#include "app/ask_server.h"
#include "app/cli/output.h"
#include "app/exit_codes.h"

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

}  // namespace

int run_status(const cli::Status& command) {
  auto answer = ask_server(command.ask, "status");
  if (!answer) return answer.error().emit();
  auto status = master::parse_status(*answer);
  if (!status) return unavailable(command.ask, status.error().message()).emit();
  cli::Output output;
  output.code = status->verdict == "OK" ? kSuccess : kFailure;
  output.out = command.ask.json ? *answer + "\n"
                                : status_text(*status, terminal_columns(),
                                              cli::use_colour(command.ask.colour, STDOUT_FILENO));
  return output.emit();
}

}  // namespace pronghorn::app

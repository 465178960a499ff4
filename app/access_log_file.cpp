// SPDX-License-Identifier: Apache-2.0
#include "app/access_log_file.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace pronghorn::app {

Result<UniqueFd> open_access_log(config::Config& config) {
  std::string& name = config.access_log;
  if (name == "auto") name = ::isatty(STDERR_FILENO) != 0 ? "-" : "off";
  if (name == "off") return UniqueFd();
  // O_NONBLOCK: a FIFO without a reader must not hold up the start; it stays off regular files'
  // writes.
  UniqueFd fd(name == "-"
                  ? ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
                  : ::open(name.c_str(),
                           O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                           0640));
  if (!fd)
    return std::unexpected(Error::system(errno, "cannot open the access log '" + name + "'"));
  return fd;
}

}  // namespace pronghorn::app

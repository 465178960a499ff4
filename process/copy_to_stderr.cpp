// SPDX-License-Identifier: Apache-2.0
#include "process/copy_to_stderr.h"

#include "process/no_sigpipe.h"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace pronghorn::process {
void copy_to_stderr(std::string_view bytes) noexcept {
  if (bytes.empty()) return;
  NoSigpipe guard;
  while (!bytes.empty()) {
    ssize_t n = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {  // somebody who shares it made it non-blocking
      pollfd wait{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      if (errno == EPIPE) guard.raised();
      return;
    }
  }
}

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
#include "process/pipes.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pronghorn::process {

Result<PipeEnds> make_pipe(PipeKind kind) {
  std::array<int, 2> fds{-1, -1};
  int status = kind == PipeKind::output
                   ? ::pipe2(fds.data(), O_CLOEXEC)
                   : ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data());
  if (status != 0) return std::unexpected(Error::system(errno, "cannot make a pipe"));
  PipeEnds ends{UniqueFd(fds[0]), UniqueFd(fds[1])};
  // O_NONBLOCK belongs to each end's own open file description: theirs keeps blocking.
  ::fcntl(ends.ours.get(), F_SETFL, ::fcntl(ends.ours.get(), F_GETFL) | O_NONBLOCK);
  // Bytes that the child writes to its stdin would turn our close into its ECONNRESET.
  if (kind == PipeKind::input) ::shutdown(ends.ours.get(), SHUT_RD);
  return ends;
}

}  // namespace pronghorn::process

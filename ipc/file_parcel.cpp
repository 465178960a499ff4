// SPDX-License-Identifier: Apache-2.0
#include "ipc/file_parcel.h"

#include "ipc/socket_io.h"

#include <array>
#include <cerrno>
#include <deque>
#include <sys/socket.h>

namespace pronghorn::ipc {

Result<UniqueFd> pack_file(int fd) {
  if (fd < 0) return std::unexpected(Error::system(EBADF, "cannot pass a descriptor on"));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return std::unexpected(Error::system(errno, "cannot make a socket pair"));
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  // What is queued outlives the end that sent it (unix(7)).
  const ssize_t sent = transmit(ours.get(), "f", fd, {});
  if (sent != 1) {
    return std::unexpected(
        Error::system(sent < 0 ? static_cast<int>(-sent) : EIO, "cannot pass a descriptor on"));
  }
  return theirs;
}

Result<UniqueFd> unpack_file(int socket) {
  std::array<char, 1> byte{};
  std::deque<UniqueFd> found;
  const ssize_t read = receive(socket, byte, found);
  if (found.empty()) {
    return std::unexpected(
        Error::system(read < 0 ? static_cast<int>(-read) : ENOMSG, "no descriptor came"));
  }
  return std::move(found.front());
}

}  // namespace pronghorn::ipc

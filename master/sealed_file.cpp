// SPDX-License-Identifier: Apache-2.0
#include "master/sealed_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace pronghorn::master {

Result<UniqueFd> make_sealed_file(const char* name, std::string_view content) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return std::unexpected(Error::system(errno, "cannot make a file in memory"));
  // pwrite leaves the offset at 0, which the readers share.
  std::size_t at = 0;
  while (at < content.size()) {
    ssize_t n =
        ::pwrite(fd.get(), content.data() + at, content.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::unexpected(Error::system(errno, "cannot fill a file in memory"));
    at += static_cast<std::size_t>(n);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
      0) {
    return std::unexpected(Error::system(errno, "cannot seal a file in memory"));
  }
  return fd;
}

}  // namespace pronghorn::master

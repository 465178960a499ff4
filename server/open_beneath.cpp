// SPDX-License-Identifier: Apache-2.0
#include "server/open_beneath.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pronghorn::server {
namespace {

// O_NONBLOCK: opening a FIFO without writer would stop the loop for ever. O_NOCTTY: a terminal in
// the tree must not become ours.
int open_beneath(int directory, const char* path) noexcept {
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // The kernel gives up with EAGAIN when something is renamed while it goes through a ".." of a
  // symbolic link; each attempt is a fresh chance, and a client cannot rename.
  int fd = -1;
  for (int attempt = 0; attempt < 4; ++attempt) {
    fd = static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return fd;
}

}  // namespace

Result<RootDirectory> RootDirectory::open(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return std::unexpected(Error::system(errno, "'" + path + "'"));
  // Tried once here, so that an old kernel or a container that forbids it is told at the start and
  // not by a 500 for each request. A directory that may be searched but not read is no fault.
  UniqueFd probe(open_beneath(directory.get(), "."));
  if (!probe && (errno == ENOSYS || errno == EPERM)) {
    return std::unexpected(Error::system(errno, "openat2 (needs Linux 5.6)"));
  }
  return RootDirectory(std::move(directory));
}

std::expected<OpenedFile, int> RootDirectory::open_file(const char* relative) const noexcept {
  OpenedFile opened{UniqueFd(open_beneath(directory_.get(), relative)), {}};
  if (!opened.file || ::fstat(opened.file.get(), &opened.info) != 0) return std::unexpected(errno);
  return opened;
}

}  // namespace pronghorn::server

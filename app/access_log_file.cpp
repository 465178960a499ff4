// SPDX-License-Identifier: Apache-2.0
#include "app/access_log_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pronghorn::app {
namespace {

// O_NONBLOCK: a FIFO or a device must not hold up the start; it stays off regular files' writes.
constexpr int kFlags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
constexpr mode_t kMode = 0640;

Result<UniqueFd> open_path(const std::string& path) {
  struct stat info{};
  // With our own end for reading a FIFO takes lines before somebody reads it, and between two
  // readers (fifo(7): not in POSIX, but in Linux).
  const bool is_fifo = ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
  UniqueFd fd(::open(path.c_str(), kFlags | (is_fifo ? O_RDWR : O_WRONLY), kMode));
  if (!fd && is_fifo && errno == EACCES) fd.reset(::open(path.c_str(), kFlags | O_WRONLY, kMode));
  if (!fd)
    return std::unexpected(Error::system(errno, "cannot open the access log '" + path + "'"));
  return fd;
}

}  // namespace

Result<master::AccessLogFile> open_access_log(config::Config& config) {
  std::string& name = config.access_log;
  if (name == "auto") name = ::isatty(STDERR_FILENO) != 0 ? "-" : "off";
  master::AccessLogFile file{.path = name, .fd = {}, .open = {}};
  if (name == "off") return file;
  if (name == "-") {
    file.fd.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (file.fd) return file;
    return std::unexpected(Error::system(errno, "cannot open the access log '-'"));
  }
  file.open = [path = name] { return open_path(path); };
  auto fd = file.open();
  if (!fd) return std::unexpected(fd.error());
  file.fd = std::move(*fd);
  return file;
}

}  // namespace pronghorn::app

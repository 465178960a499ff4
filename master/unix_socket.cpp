// SPDX-License-Identifier: Apache-2.0
// The unix half of listening_socket.h: a file that a dead server left is removed, a live one's is
// not.
#include "master/listening_socket.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace pronghorn::master {
namespace {

UniqueFd stream_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// @returns 0 when the path is free now, or errno
int clear_stale(const sockaddr_un& address) {
  struct stat info{};
  if (::lstat(address.sun_path, &info) < 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISSOCK(info.st_mode)) return EEXIST;
  UniqueFd probe = stream_socket();
  if (!probe) return errno;
  // Only ECONNREFUSED says that nobody listens: a full queue is EAGAIN, another user's socket
  // EACCES.
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno != ECONNREFUSED) {
    return errno == EACCES ? EACCES : EADDRINUSE;
  }
  return ::unlink(address.sun_path) < 0 && errno != ENOENT ? errno : 0;
}

// As Node: an absolute path that is too long may fit as a relative one.
std::string shorter(const std::string& path) {
  std::error_code failed;
  auto here = std::filesystem::current_path(failed);
  if (failed) return path;
  std::string relative = std::filesystem::path(path).lexically_relative(here).string();
  return !relative.empty() && relative.size() < path.size() ? relative : path;
}

}  // namespace

std::expected<UnixSocket, int> listen_unix(const std::string& path, int backlog,
                                           mode_t permissions) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string name = path.size() < sizeof address.sun_path ? path : shorter(path);
  if (name.size() >= sizeof address.sun_path) return std::unexpected(ENAMETOOLONG);
  std::memcpy(address.sun_path, name.c_str(), name.size());
  if (int error = clear_stale(address); error != 0) return std::unexpected(error);

  UnixSocket out{stream_socket(), {}};
  if (!out.fd) return std::unexpected(errno);
  if (::bind(out.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return std::unexpected(errno);
  }
  out.file = SocketFile(path);
  struct stat info{};
  if (permissions != 0 && ::lstat(address.sun_path, &info) == 0) {
    ::chmod(address.sun_path, (info.st_mode & 0666) | permissions);
  }
  if (::listen(out.fd.get(), backlog) < 0) return std::unexpected(errno);
  return out;
}

SocketFile::SocketFile(std::string path) noexcept {
  struct stat info{};
  if (::lstat(path.c_str(), &info) < 0) return;
  path_ = std::move(path);
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void SocketFile::remove() noexcept {
  if (path_.empty()) return;
  struct stat info{};
  if (::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  path_.clear();
}

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// The unix-socket half of Listener: a file that a dead server left is removed, a live one's is not.
#include "master/listen_failure.h"
#include "master/listener.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
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

}  // namespace

std::expected<Listener, StartFailure> Listener::open_unix(const config::ListenAddress& wanted,
                                                          int backlog) {
  auto failed = [&wanted](int error) { return std::unexpected(listen_failure(wanted, error)); };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (wanted.path.size() >= sizeof address.sun_path) return failed(ENAMETOOLONG);
  std::memcpy(address.sun_path, wanted.path.c_str(), wanted.path.size());
  if (int error = clear_stale(address); error != 0) return failed(error);

  Listener listener;
  listener.wanted_ = listener.address_ = wanted;
  listener.fd_ = stream_socket();
  if (!listener.fd_) return failed(errno);
  if (::bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return failed(errno);
  struct stat info{};
  if (::lstat(address.sun_path, &info) == 0) {
    listener.owns_path_ = true;
    listener.device_ = info.st_dev;
    listener.inode_ = info.st_ino;
  }
  // Like a loopback port, for every local user; who may come near is the folder's mode.
  ::chmod(address.sun_path, 0666);
  if (::listen(listener.fd(), backlog) < 0) return failed(errno);
  return listener;
}

void Listener::unlink_path() noexcept {
  if (!std::exchange(owns_path_, false)) return;
  struct stat info{};
  if (::lstat(address_.path.c_str(), &info) == 0 && info.st_dev == device_ &&
      info.st_ino == inode_) {
    ::unlink(address_.path.c_str());
  }
}

}  // namespace pronghorn::master

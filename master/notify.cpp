// SPDX-License-Identifier: Apache-2.0
#include "master/notify.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

namespace pronghorn::master {

Notify::Notify(std::string_view socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() < 2 || socket_path.size() >= sizeof address.sun_path) return;
  if (socket_path[0] != '@' && socket_path[0] != '/') return;
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  // An abstract name begins with a zero byte and is as long as the address says (unix(7)).
  auto size = offsetof(sockaddr_un, sun_path) + socket_path.size();
  if (socket_path[0] == '@') address.sun_path[0] = '\0';
  UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                       static_cast<socklen_t>(size)) < 0) {
    return;
  }
  fd_ = std::move(fd);
}

Notify Notify::from_environment() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  Notify notify(path != nullptr ? path : "");
  ::unsetenv("NOTIFY_SOCKET");
  return notify;
}

void Notify::ready(std::string_view status) {
  last_status_ = status;
  send("READY=1\nSTATUS=" + last_status_);
}

void Notify::stopping(std::string_view status) {
  last_status_ = status;
  send("STOPPING=1\nSTATUS=" + last_status_);
}

void Notify::status(std::string_view text) {
  if (text == last_status_) return;
  last_status_ = text;
  send("STATUS=" + last_status_);
}

void Notify::send(const std::string& datagram) noexcept {
  // A manager that does not listen is its own loss: we never wait for it.
  if (fd_) ::send(fd_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL);
}

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
#include "ipc/socket_io.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>

namespace pronghorn::ipc {
namespace {
// A peer sends one descriptor per message; what does not fit is closed by the kernel (MSG_CTRUNC).
constexpr std::size_t kDescriptorsPerRead = 8;
}  // namespace

ssize_t receive(int socket, std::span<char> space, std::deque<UniqueFd>& fds) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kDescriptorsPerRead)];
  iovec data{space.data(), space.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t count = 0;
  do {
    count = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    std::size_t bytes = c->cmsg_len - CMSG_LEN(0);
    for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return count;
}

ssize_t transmit(int socket, std::string_view bytes, int fd, std::string_view more) noexcept {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  iovec data[2] = {{const_cast<char*>(bytes.data()), bytes.size()},
                   {const_cast<char*>(more.data()), more.size()}};
  msghdr message{};
  message.msg_iov = data;
  message.msg_iovlen = more.empty() ? 1 : 2;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t count = 0;
  do {
    count = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

bool is_socket(int fd) noexcept {
  struct stat info{};
  return ::fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

std::string_view datagram_type(int socket) noexcept {
  int domain = 0;
  socklen_t size = sizeof domain;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain == AF_INET6 ? "udp6" : "udp4";
}

}  // namespace pronghorn::ipc

// SPDX-License-Identifier: Apache-2.0
#include "master/control_client.h"

#include <pronghorn/base/unique_fd.h>

#include "master/status.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace pronghorn::master {
namespace {

Error failed(int errno_value, const std::string& path) {
  return Error::system(errno_value, "no answer at '" + path + "'");
}

// @returns 0 when it is ready, or errno
int wait_for(int fd, short events, Instant deadline) {
  for (;;) {
    auto left = std::chrono::duration_cast<Millis>(deadline - Clock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd entry{fd, events, 0};
    int n = ::poll(&entry, 1, static_cast<int>(left));
    if (n > 0) return 0;
    if (n < 0 && errno != EINTR) return errno;
  }
}

}  // namespace

Result<std::string> ask(const std::string& path, std::string_view command, Millis timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::unexpected(failed(ENAMETOOLONG, path));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // A local connect is made at once or refused; EAGAIN is a full queue.
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return std::unexpected(failed(errno, path));
  }
  auto deadline = Clock::now() + timeout;
  std::string request = command_line(command) + "\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return std::unexpected(failed(errno, path));
  }
  constexpr std::size_t kMaxAnswer = 16 << 20;
  std::string answer;
  while (answer.size() < kMaxAnswer) {
    if (int error = wait_for(fd.get(), POLLIN, deadline); error != 0)
      return std::unexpected(failed(error, path));
    char bytes[16384];
    ssize_t n = ::recv(fd.get(), bytes, sizeof bytes, 0);
    if (n == 0) return std::unexpected(failed(ECONNRESET, path));
    if (n < 0 && errno != EINTR && errno != EAGAIN) return std::unexpected(failed(errno, path));
    if (n > 0) answer.append(bytes, static_cast<std::size_t>(n));
    if (auto end = answer.find('\n'); end != std::string::npos) return answer.substr(0, end);
  }
  return std::unexpected(failed(EMSGSIZE, path));
}

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// The sockets under a Listener: bound, listening, non-blocking and CLOEXEC. What fails is an errno;
// Listener makes sentences of it, and Primary a reply.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/config/config.h>

#include <expected>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>

namespace pronghorn::master {

struct TcpOptions {
  int backlog = 511;
  bool v6_only = false;  ///< of `::`, which else takes IPv4 as well
  /// The client speaks first, and answers are written whole: TCP_DEFER_ACCEPT and TCP_NODELAY.
  bool is_http = false;
};
std::expected<UniqueFd, int> listen_tcp(const sockaddr* where, socklen_t size,
                                        const TcpOptions& options);
/// One more socket with the address, port, options and backlog of `fd`, by SO_REUSEPORT, which
/// `fd` gets as well: the kernel spreads new connections over both.
std::expected<UniqueFd, int> listen_beside(int fd);

/// Of a bound socket; a unix one without a path is "unnamed".
config::ListenAddress local_address(int fd);

/// A unix socket's file: removed at the end, unless another server's stands there under the name.
class SocketFile {
 public:
  SocketFile() = default;
  /// The file that is there now.
  explicit SocketFile(std::string path) noexcept;
  ~SocketFile() { remove(); }
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;

  void remove() noexcept;

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct UnixSocket {
  UniqueFd fd;
  SocketFile file;
};
/// A file that a dead server left is replaced. The path may be longer than the kernel's 107 bytes
/// when it is shorter as seen from the working directory.
/// @param permissions  given to the file beside what the umask left
std::expected<UnixSocket, int> listen_unix(const std::string& path, int backlog,
                                           mode_t permissions);

}  // namespace pronghorn::master

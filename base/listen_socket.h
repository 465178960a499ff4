// SPDX-License-Identifier: Apache-2.0
// Listening sockets as all servers of this house open them: the master's listeners, and a server
// that listens without a primary.
#pragma once

#include <pronghorn/base/address.h>
#include <pronghorn/base/unique_fd.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <sys/types.h>

namespace pronghorn {

/// The file of a unix socket, which goes with it; another server's file with our name stays.
class SocketFile {
 public:
  SocketFile() = default;
  /// The file that bind(2) has just made at `path`.
  explicit SocketFile(std::string path);
  ~SocketFile() { remove(); }
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;

  void remove() noexcept;

 private:
  std::string path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct ListenSocket {
  struct Failure {
    int error = 0;  ///< errno; 0: the name was not resolved
    int eai = 0;    ///< getaddrinfo(3)'s value
  };

  UniqueFd fd;
  Address address{};  ///< with the real port
  SocketFile file{};  ///< of a unix socket

  /// Binds and listens, non-blocking. No host is "any": `::` for both families, as in Node, or
  /// 0.0.0.0 on a machine without IPv6. A name is resolved, which may block.
  static std::expected<ListenSocket, Failure> open_tcp(const std::string& host, std::uint16_t port,
                                                       int backlog, bool v6_only = false);
  /// The same for a program of others, which may speak first: without HTTP's TCP_DEFER_ACCEPT and
  /// TCP_NODELAY. Never blocks: a name is EINVAL.
  static std::expected<ListenSocket, int> open_plain_tcp(const std::string& host,
                                                         std::uint16_t port, int backlog,
                                                         bool v6_only);
  /// A file that a dead server left is removed first; a live one's is EADDRINUSE, any other file
  /// EEXIST. `mode` is the file's then; none: by the umask. A path over the kernel's 107 bytes must
  /// be shorter as seen from the working directory.
  static std::expected<ListenSocket, Failure> open_unix(const std::string& path, int backlog,
                                                        std::optional<mode_t> mode);
};

/// One more socket with the address, port, options and backlog of a listening TCP one, by
/// SO_REUSEPORT, which that one gets as well: the kernel spreads new connections over both.
/// @errors an errno
std::expected<UniqueFd, int> listen_beside(int fd);

/// The first numeric address of a host. @errors a getaddrinfo(3) value
std::expected<Address, int> resolve_host(const std::string& host, std::uint16_t port);
/// Of a socket's own end; one without (unix) has no address text.
Address local_address(int fd);

}  // namespace pronghorn

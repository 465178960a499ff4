// SPDX-License-Identifier: Apache-2.0
// recvmsg(2) and sendmsg(2) with descriptors, for the channel's socket.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <deque>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace pronghorn::ipc {

/// Reads once; descriptors that came (close-on-exec) are appended to `fds`. @returns bytes, 0 at
/// the end, or -errno
ssize_t receive(int socket, std::span<char> space, std::deque<UniqueFd>& fds);
/// Writes once, `fd` (or -1) with the first byte, and `more` behind. @returns bytes, or -errno
ssize_t transmit(int socket, std::string_view bytes, int fd, std::string_view more) noexcept;

bool is_socket(int fd) noexcept;
/// "udp4" or "udp6", as Node names the two.
std::string_view datagram_type(int socket) noexcept;

}  // namespace pronghorn::ipc

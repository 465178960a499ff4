// SPDX-License-Identifier: Apache-2.0
#include "master/syn_filter.h"

#include <cerrno>
#include <limits>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pronghorn::master {

Result<void> drop_new_connections(int listener) {
  // A TCP socket's filter sees the segment from the TCP header on; byte 13 holds the flags
  // (RFC 9293 section 3.1): SYN 0x02, ACK 0x10.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),          BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
  };
  sock_fprog program{static_cast<unsigned short>(sizeof code / sizeof code[0]), code};
  if (::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) {
    return std::unexpected(Error::system(errno, "cannot attach a socket filter"));
  }
  return {};
}

Result<void> hide_from_new_connections(int listener) {
  // The kernel looks for no interface of that number until a segment comes in by it.
  int nowhere = std::numeric_limits<int>::max();
  if (::setsockopt(listener, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof nowhere) < 0) {
    return std::unexpected(Error::system(errno, "cannot bind to another interface"));
  }
  return {};
}

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
#include "master/cluster/in_flight.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace pronghorn::master {
namespace {

std::uint64_t queued(int socket, unsigned long which) noexcept {
  int bytes = 0;
  return ::ioctl(socket, which, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

// Of the kernel's net/tcp_states.h; glibc has them only beside a tcp_info that lacks our counters.
constexpr std::uint8_t kEstablished = 1;
constexpr std::uint8_t kSynReceived = 3;  // accepted already, as with TCP Fast Open
constexpr std::uint8_t kCloseWait = 8;    // the client will send no more

}  // namespace

std::uint64_t unread_bytes(int socket) noexcept { return queued(socket, SIOCINQ); }

bool has_begun(int socket, std::optional<std::uint64_t> unread_before) noexcept {
  if (unread_before) {
    return queued(socket, SIOCINQ) < *unread_before || queued(socket, SIOCOUTQ) > 0;
  }
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return true;
  const bool client_is_done = info.tcpi_state == kCloseWait;
  // Another state: the worker has shut it down, or the client has reset it.
  if (info.tcpi_state != kEstablished && info.tcpi_state != kSynReceived && !client_is_done) {
    return true;
  }
  if (info.tcpi_bytes_sent > 0 || info.tcpi_notsent_bytes > 0) return true;
  // A FIN counts as a byte received, but is never queued.
  return info.tcpi_bytes_received - (client_is_done ? 1 : 0) > queued(socket, SIOCINQ);
}

}  // namespace pronghorn::master

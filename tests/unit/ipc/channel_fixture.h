// SPDX-License-Identifier: Apache-2.0
// A channel with a bare socket as its peer.
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/base/uv/loop.h>
#include <pronghorn/ipc/channel.h>

#include "tests/unit/base/leaks.h"
#include "tests/unit/base/run_until.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <uv.h>

#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace pronghorn::test {

using testing::run_until;

inline std::size_t open_descriptors() {
  static Loop first;  // libuv's signal pipe is opened with the process's first loop, and stays
  return count_descriptors();
}

/// Sends bytes with any number of descriptors from a blocking socket.
inline ssize_t send_with(int socket, std::string_view bytes, const std::vector<int>& fds) {
  std::vector<char> control(CMSG_SPACE(sizeof(int) * fds.size()));
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(c), fds.data(), sizeof(int) * fds.size());
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL);
}

/// A TCP socket bound to a free port of 127.0.0.1; it listens when `backlog` is not 0.
inline UniqueFd bound_socket(int backlog, std::uint16_t* port = nullptr) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  if (backlog > 0) REQUIRE(::listen(fd.get(), backlog) == 0);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  if (port != nullptr) *port = ntohs(address.sin_port);
  return fd;
}

/// What a channel told.
struct Told {
  std::vector<std::string> messages;
  std::vector<std::string> internals;
  std::vector<UniqueFd> fds;
  std::vector<std::string> errors;
  int disconnects = 0;

  ipc::Channel::Handlers handlers() {
    ipc::Channel::Handlers h;
    h.on_message = [this](const ipc::Json& m, ipc::ReceivedHandle handle) {
      messages.push_back(m.dump());
      if (handle) fds.push_back(std::move(handle.fd));
    };
    h.on_internal = [this](const ipc::Json& m, ipc::ReceivedHandle handle) {
      internals.push_back(m.dump());
      if (handle) fds.push_back(std::move(handle.fd));
    };
    h.on_disconnect = [this] { ++disconnects; };
    h.on_error = [this](const Error& e) { errors.push_back(e.message()); };
    return h;
  }
};

/// Our channel in a loop; `peer` is the other end, blocking with 5 s timeouts.
struct BarePeer {
  Loop loop;
  UniqueFd peer;
  Told told;
  std::optional<ipc::Channel> channel;

  explicit BarePeer(ipc::ChannelLimits limits = {}) { channel = open(told.handlers(), limits); }
  ipc::Channel open(ipc::Channel::Handlers handlers, ipc::ChannelLimits limits = {}) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    peer.reset(ends[1]);
    timeval limit{5, 0};
    ::setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    auto opened = ipc::Channel::open(loop, UniqueFd(ends[0]), std::move(handlers), limits);
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
  void write(std::string_view bytes, const std::vector<int>& fds = {}) {
    REQUIRE(send_with(peer.get(), bytes, fds) == static_cast<ssize_t>(bytes.size()));
  }
  template <class Done>
  bool wait(Done done) {
    return run_until(loop, std::move(done));
  }
  /// What the peer can read now.
  std::string readable() {
    std::string out(1 << 20, '\0');
    ssize_t n = ::recv(peer.get(), out.data(), out.size(), MSG_DONTWAIT);
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return out;
  }
  bool peer_sees_eof() {
    char c = 0;
    return ::recv(peer.get(), &c, 1, 0) == 0;
  }
};

}  // namespace pronghorn::test

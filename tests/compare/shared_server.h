// SPDX-License-Identifier: Apache-2.0
// A listening socket that two processes accept on, and its client; for cp-fork-net-server
// and cl-eaddrinuse.
#pragma once

#include <pronghorn/process.h>

#include "base/uv/poll.h"

#include <cstdint>
#include <functional>
#include <list>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace compare {

class SharedServer {
 public:
  /// Answers each connection with `name`.
  SharedServer(pronghorn::Loop& loop, std::string name)
      : loop_(loop),
        name_(std::move(name)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    socklen_t size = sizeof address_;
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd(), reinterpret_cast<sockaddr*>(&address_), size);
    ::listen(fd(), 64);
    ::getsockname(fd(), reinterpret_cast<sockaddr*>(&address_), &size);
    poll_ = pronghorn::uv::Poll::open(loop, fd(), [this](int, int) { accept(); }).value();
    poll_->want(pronghorn::uv::Poll::kReadable);
  }

  int fd() const { return listener_.get(); }
  std::uint16_t port() const { return ntohs(address_.sin_port); }
  void close() {
    poll_.reset();
    listener_.reset();
  }

  /// Connects again and again, until the answer is `wanted`.
  void ask_until(std::string wanted, std::function<void()> then) {
    pronghorn::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_);
    answer_.clear();
    using pronghorn::process::Stream;
    auto& stream =
        clients_.emplace_back(Stream::open(loop_, std::move(fd), Stream::Sides::readable).value());
    stream.on_data([this](std::string_view bytes) { answer_ += bytes; });
    stream.on_close([this, wanted = std::move(wanted), then = std::move(then)] {
      if (answer_ == wanted) return then();
      ask_until(wanted, then);
    });
  }

 private:
  void accept() {
    pronghorn::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) ::send(fd.get(), name_.data(), name_.size(), MSG_NOSIGNAL);
  }

  pronghorn::Loop& loop_;
  std::string name_;
  sockaddr_in address_{};
  pronghorn::UniqueFd listener_;
  std::optional<pronghorn::uv::Poll> poll_;
  std::list<pronghorn::process::Stream> clients_;
  std::string answer_;
};

}  // namespace compare

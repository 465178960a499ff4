// SPDX-License-Identifier: Apache-2.0
// sd_notify(3) by hand: tells systemd that we are ready, how we are, and that we stop.
#pragma once

#include <pronghorn/base/unique_fd.h>

#include <string>
#include <string_view>

namespace pronghorn::master {

class Notify {
 public:
  /// `socket_path` is the value of NOTIFY_SOCKET: a path, or '@' and an abstract name; empty:
  /// nothing is ever sent.
  explicit Notify(std::string_view socket_path);
  /// Takes NOTIFY_SOCKET out of the environment.
  static Notify from_environment();

  bool is_active() const noexcept { return static_cast<bool>(fd_); }
  void ready(std::string_view status);
  void stopping(std::string_view status);
  /// Sends only what differs from the last one.
  void status(std::string_view text);

 private:
  void send(const std::string& datagram) noexcept;
  UniqueFd fd_;
  std::string last_status_;
};

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// The master's control socket: JSON lines in, JSON lines out, for the same user or root.
#pragma once

#include <pronghorn/base/uv/loop.h>

#include "master/start_failure.h"

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn::master {

class ControlServer {
 public:
  static constexpr std::size_t kMaxClients = 16;
  static constexpr std::size_t kMaxLine = 4096;

  /// Takes the answer to a command, one line without its line feed; empty: no such command. To be
  /// called once, now or later; who has asked may be gone by then.
  using Reply = std::function<void(std::string line)>;
  using Answer = std::function<void(std::string_view command, const Reply& reply)>;

  /// @errors the path is in use, too long, or not ours to make
  static std::expected<ControlServer, StartFailure> open(Loop& loop, const std::string& path,
                                                         Answer answer);
  ~ControlServer();
  ControlServer(ControlServer&&) noexcept;
  ControlServer& operator=(ControlServer&&) noexcept;

 private:
  struct Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
// Which process holds an address, from /proc; other users' processes are visible to root only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pronghorn::master {

struct Holder {
  int pid = 0;
  std::string name;  ///< of the program, escaped
  std::string user;
};

/// Who listens on a TCP port; empty when nobody, or nobody that we may see.
std::optional<Holder> find_port_holder(std::uint16_t port);
/// The same for the socket file of a unix listener.
std::optional<Holder> find_path_holder(const std::string& path);

/// The user's name, or the number.
std::string user_name(unsigned uid);

}  // namespace pronghorn::master

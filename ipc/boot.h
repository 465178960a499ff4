// SPDX-License-Identifier: Apache-2.0
// What a master gives a worker of ours at exec, beside Node's three variables (node-ipc:
// NODE_CHANNEL_FD, NODE_CHANNEL_SERIALIZATION_MODE, NODE_UNIQUE_ID): numbers of inherited
// descriptors, in one variable.
#pragma once

#include <pronghorn/base/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::ipc {

struct Boot {
  std::uint32_t slot = 0;  ///< 0-based; people see slot + 1
  std::uint64_t generation = 1;
  int config_fd = -1;      ///< sealed memfd with the effective configuration (TOML)
  int scoreboard_fd = -1;  ///< memfd of ipc::Scoreboard
  int access_log_fd = -1;  ///< -1: none
  /// The document roots, opened by the master (O_PATH), of the sites that have one, the default
  /// site's first.
  std::vector<int> root_fds;
  int clients_fd = -1;         ///< memfd of ipc::ClientMemory; -1: no limit goes by the client
  std::int64_t uid = -1;       ///< who we must be, without a privilege; -1: as the master
  std::vector<int> doorbells;  ///< one eventfd per slot, in slot order: the gate's baton

  static constexpr const char* kVariable = "PRONGHORN_BOOT";
  /// "slot=0 generation=1 config=4 …"
  std::string to_text() const;
  static Result<Boot> parse(std::string_view text);
  /// Reads the variable, removes it from the environment and sets CLOEXEC on every descriptor.
  /// Empty: this process was not started by a master of ours.
  static Result<std::optional<Boot>> take_from_environment();
};

}  // namespace pronghorn::ipc

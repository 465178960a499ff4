// SPDX-License-Identifier: Apache-2.0
// spawn_sync, exec_sync and exec_file_sync: they wait for the end of the child, on a loop of their
// own.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/process/exit.h>
#include <pronghorn/process/options.h>

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::process {

/// Node's spawnSync result.
struct SyncResult {
  std::optional<int> pid{};
  Exit exit{};        ///< Node's status and signal; neither is set when it could not be started
  std::string out{};  ///< Node's stdout
  std::string err{};  ///< Node's stderr
  /// By descriptor; nothing where it is no pipe. [0] is always nothing.
  std::vector<std::optional<std::string>> output{};
  /// A failed start, ETIMEDOUT, ENOBUFS (over max_buffer); the syscall is "spawnSync FILE". Another
  /// exit than 0 is none.
  std::optional<Error> error{};
};

/// Why exec_sync failed, with all that Node merges into what it throws.
struct SyncFailure {
  Error error;  ///< SyncResult::error, or Errc::command_failed for an exit other than 0
  SyncResult result{};
};

/// A child that does not read all of its input is no failure (Node: EPIPE in error).
/// @errors wrong arguments only, as spawn; Errc::ipc_sync_fork for an `ipc` in stdio
Result<SyncResult> spawn_sync(std::string file, std::vector<std::string> args = {},
                              const SyncOptions& options = {});
/// Stdout of a command in a shell.
std::expected<std::string, SyncFailure> exec_sync(std::string command,
                                                  const SyncOptions& options = {});
/// Stdout of a program.
std::expected<std::string, SyncFailure> exec_file_sync(std::string file,
                                                       std::vector<std::string> args = {},
                                                       const SyncOptions& options = {});

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// Errors that have no errno value, under the names that Node gives them.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace pronghorn {

/// Node's `error.code` strings of child_process, cluster and net; error_name() spells them.
enum class Errc : std::uint8_t {
  invalid_arg_value = 1,      ///< ERR_INVALID_ARG_VALUE
  out_of_range,               ///< ERR_OUT_OF_RANGE
  unknown_signal,             ///< ERR_UNKNOWN_SIGNAL
  ipc_one_pipe,               ///< ERR_IPC_ONE_PIPE: two 'ipc' entries in stdio
  ipc_sync_fork,              ///< ERR_IPC_SYNC_FORK: an 'ipc' entry in a synchronous spawn
  ipc_required,               ///< ERR_CHILD_PROCESS_IPC_REQUIRED: fork without an 'ipc' entry
  ipc_channel_closed,         ///< ERR_IPC_CHANNEL_CLOSED: a send after the channel's end
  ipc_disconnected,           ///< ERR_IPC_DISCONNECTED: a disconnect after the channel's end
  invalid_handle_type,        ///< ERR_INVALID_HANDLE_TYPE: what is sent is no socket
  invalid_sync_fork_input,    ///< ERR_INVALID_SYNC_FORK_INPUT
  stdio_max_buffer,           ///< ERR_CHILD_PROCESS_STDIO_MAXBUFFER
  child_closed_before_reply,  ///< ERR_CHILD_CLOSED_BEFORE_REPLY
  aborted,                    ///< ABORT_ERR
  command_failed,             ///< exec: "Command failed: …", Node's error without a code string
  unsupported_serialization,  ///< 'advanced' is V8's own format
  protocol,                   ///< the peer of a channel broke the protocol
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(Errc code) noexcept;

/// Node's `error.code`: "ERR_IPC_CHANNEL_CLOSED" for ours, "ENOENT" for an errno value, "" for
/// neither.
std::string error_name(const std::error_code& code);

}  // namespace pronghorn

template <>
struct std::is_error_code_enum<pronghorn::Errc> : std::true_type {};

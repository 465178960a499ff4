// SPDX-License-Identifier: Apache-2.0
// Errors that have no errno value, under the names that Node gives them.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace pronghorn {

/// Node's `error.code` strings of child_process, cluster, net and http; error_name() spells them.
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
  protocol,                   ///< the peer broke the protocol
  headers_sent,               ///< ERR_HTTP_HEADERS_SENT: a second answer to a request
  headers_not_sent,           ///< a write before the answer was started
  write_after_end,            ///< ERR_STREAM_WRITE_AFTER_END
  stream_destroyed,           ///< ERR_STREAM_DESTROYED: the connection is gone
  invalid_char,               ///< ERR_INVALID_CHAR: in a field's name or value
  invalid_status_code,        ///< ERR_HTTP_INVALID_STATUS_CODE
  content_length_mismatch,    ///< ERR_HTTP_CONTENT_LENGTH_MISMATCH
  trailer_invalid,            ///< ERR_HTTP_TRAILER_INVALID
  upgrade_not_asked,          ///< a take-over that the request did not ask for
  body_incomplete,            ///< ECONNRESET: the client ended within the request's body
  body_too_large,             ///< a request's body beyond its limit
  body_timeout,               ///< ERR_HTTP_REQUEST_TIMEOUT: a request's body came too slowly
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(Errc code) noexcept;

/// Node's `error.code`: "ERR_IPC_CHANNEL_CLOSED" for ours, "ENOENT" for an errno value, "" for
/// neither.
std::string error_name(const std::error_code& code);

}  // namespace pronghorn

template <>
struct std::is_error_code_enum<pronghorn::Errc> : std::true_type {};

// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/error_code.h>

#include <array>
#include <cstring>

namespace pronghorn {
namespace {

struct Row {
  const char* name;
  const char* text;
};

// In the order of Errc, from 1.
constexpr std::array kRows{
    Row{"ERR_INVALID_ARG_VALUE", "an argument has a value that is not allowed"},
    Row{"ERR_OUT_OF_RANGE", "an argument is out of range"},
    Row{"ERR_UNKNOWN_SIGNAL", "unknown signal"},
    Row{"ERR_IPC_ONE_PIPE", "a child process can have only one IPC pipe"},
    Row{"ERR_IPC_SYNC_FORK", "IPC cannot be used with synchronous forks"},
    Row{"ERR_CHILD_PROCESS_IPC_REQUIRED", "a forked process must have an IPC channel"},
    Row{"ERR_IPC_CHANNEL_CLOSED", "the channel is closed"},
    Row{"ERR_IPC_DISCONNECTED", "the IPC channel is already disconnected"},
    Row{"ERR_INVALID_HANDLE_TYPE", "this handle type cannot be sent"},
    Row{"ERR_INVALID_SYNC_FORK_INPUT", "asynchronous forks do not support input"},
    Row{"ERR_CHILD_PROCESS_STDIO_MAXBUFFER", "max_buffer length exceeded"},
    Row{"ERR_CHILD_CLOSED_BEFORE_REPLY", "the child closed before it replied"},
    Row{"ABORT_ERR", "the operation was aborted"},
    Row{"", "the command failed"},
    Row{"ERR_INVALID_ARG_VALUE", "serialization is not supported"},
    Row{"", "the peer broke the protocol"},
    Row{"ERR_HTTP_HEADERS_SENT", "the request has been answered already"},
    Row{"", "the answer has not been started"},
    Row{"ERR_STREAM_WRITE_AFTER_END", "the answer has ended already"},
    Row{"ERR_STREAM_DESTROYED", "the connection is gone"},
    Row{"ERR_INVALID_CHAR", "a field has a name or a value that must not be sent"},
    Row{"ERR_HTTP_INVALID_STATUS_CODE", "this status cannot be sent here"},
    Row{"ERR_HTTP_CONTENT_LENGTH_MISMATCH", "the body is not as long as announced"},
    Row{"ERR_HTTP_TRAILER_INVALID", "these trailers cannot be sent here"},
    Row{"", "the request did not ask for an upgrade"},
    Row{"ECONNRESET", "the request's body is incomplete"},
    Row{"", "the request's body is larger than allowed"},
    Row{"ERR_HTTP_REQUEST_TIMEOUT", "the request's body came too slowly"},
};

const Row& row(int value) { return kRows.at(static_cast<std::size_t>(value) - 1); }

class Category : public std::error_category {
 public:
  const char* name() const noexcept override { return "pronghorn"; }
  std::string message(int value) const override { return row(value).text; }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

std::string error_name(const std::error_code& code) {
  if (code.category() == error_category()) return row(code.value()).name;
  if (code.category() != std::generic_category()) return "";
  const char* name = ::strerrorname_np(code.value());
  return name == nullptr ? "" : name;
}

}  // namespace pronghorn

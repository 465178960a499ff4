// SPDX-License-Identifier: Apache-2.0
// One answered request, as the access log is told of it. Filled by the session; all views are its
// own, for the call only.
#pragma once

#include <pronghorn/server/request.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace pronghorn::server {

struct AccessEntry {
  enum class Connection : std::uint8_t {
    kept,     ///< takes further requests
    closed,   ///< after this answer
    aborted,  ///< ended before the answer did
  };

  std::string_view client;                 ///< address
  std::string_view method;                 ///< empty: nothing that could be read as a request line
  std::string_view target, path, query;    ///< as sent
  std::string_view protocol = "HTTP/1.1";  ///< as read: of HTTP/1.2 to 1.9, HTTP/1.1
  std::string_view host;
  std::span<const Field> fields;  ///< of the request
  /// Status line and fields as they were sent; only where AccessLog::wants_answer_head().
  std::string_view answer_head;
  std::string_view request_id;  ///< only where AccessLog::wants_request_id()
  int status = 0;
  std::uint64_t body_bytes = 0;  ///< of the answer's body, as far as the kernel took it
  std::uint64_t bytes_in = 0;    ///< of the request: head, body, framing
  std::uint64_t bytes_out = 0;   ///< of the answer and what came before it: heads, body, framing
  /// From the head's end to the answer's last byte; only where AccessLog::wants_duration().
  std::int64_t duration_us = 0;
  std::uint32_t earlier_requests = 0;  ///< of this connection
  std::uint16_t port = 0;              ///< ours; 0: not known, or none
  Connection connection = Connection::kept;
};

}  // namespace pronghorn::server

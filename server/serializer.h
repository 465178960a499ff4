// SPDX-License-Identifier: Apache-2.0
// Writes a response's head and body into the connection's output.
#pragma once

#include <pronghorn/server/response.h>

#include "server/accept.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pronghorn::server {

struct AnswerFraming {
  std::string_view date;                  ///< 29 characters
  std::string_view connection;            ///< "close" or "keep-alive"
  bool is_head = false;                   ///< answers HEAD: no body follows
  bool is_streamed = false;               ///< the body comes later:
  bool is_chunked = false;                ///< … in chunks, or
  std::optional<std::uint64_t> length{};  ///< … that long; else until the connection's end
  TextForm page_form = TextForm::html;    ///< of a response that is the page of its status
  std::string_view request_id{};          ///< of an error's page
};

/// False when the response must not be sent: a status outside 200 to 599, a field name that is no
/// token, a control byte in a value (RFC 9110 §5.5, §15).
bool is_sendable(const Response& response) noexcept;

/// Makes the text of a head that many answers will have, if it may be sent at all. A head that has
/// one must not be changed any more.
void prepare(Response::Head& head);
/// What is_sendable() objects to, for the log and the handler, in Node's words where it has some:
/// `Invalid character in header content ["X-A"]`. A name is escaped, and cut after 64 bytes.
std::string unsendable_part(const Response& response);
/// The same of fields alone; empty: nothing.
std::string unsendable_part(std::span<const Response::Header> headers);

/// Appends to `out`. What BodySource::begin() then makes pieces of follows the head.
/// @returns bytes of the body, as announced, that follow the head (0 to HEAD)
std::uint64_t serialize(const Response& response, const AnswerFraming& framing, std::string& out);

/// Appends a 1xx other than 100, with valid fields. Nothing of the server's own is added but, to a
/// 101, what RFC 9110 §7.8 asks for: Connection: Upgrade.
void serialize_informational(int status, std::span<const Response::Header> headers,
                             std::string& out);

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// JSON of requests and answers as text; <pronghorn/json.h> has the values.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/request.h>
#include <pronghorn/server/response.h>

#include <string>
#include <string_view>

namespace pronghorn::server {

/// The request's body where its Content-Type says application/json or …+json, in UTF-8.
/// @errors BodyErrc::unsupported_type
Result<std::string_view> json_text_of(const Request& request);

/// An answer of this text with Content-Type: application/json.
Response json_text_response(std::string text);

/// What cannot be written as JSON is a fault of the program: logged, and a 500.
Response json_text_response(const Error& error);

/// BodyErrc::malformed with the error's text.
Error malformed_json(const Error& error);

}  // namespace pronghorn::server

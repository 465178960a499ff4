// SPDX-License-Identifier: Apache-2.0
// JSON values, by nlohmann-json, and how they come from requests and go into answers. The one
// public header that includes nlohmann's whole; what is defined here only passes values on, as the
// rooms know no such values (docs/decisions/0010-json-of-our-own.md).
#pragma once

#include <pronghorn/ipc/json_text.h>
#include <pronghorn/json_fwd.h>
#include <pronghorn/server/json_body.h>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace pronghorn {

/// One JSON text as a value. Never throws, whatever it is given; a lone surrogate ("\ud800")
/// becomes U+FFFD; of two members with one name the later counts.
/// @errors no JSON, not UTF-8, nesting over 512: `line 2, column 5: unexpected '}'`
inline Result<Json> read_json(std::string_view text) { return ipc::parse_json_document(text); }

/// A value as text, on one line. Bytes that are not UTF-8 become U+FFFD; NaN and infinities null.
/// @errors nesting over 512; a value that is none (discarded)
inline Result<std::string> write_json(const Json& value) { return ipc::dump_json(value); }

/// The body of a request. @errors BodyErrc (server/body_error.h): unsupported_type unless its
/// Content-Type is application/json or …+json; malformed with the place of what is wrong.
/// error_response() makes a 415 or 400 of them.
inline Result<Json> json_body(const Request& request) {
  auto text = server::json_text_of(request);
  if (!text) return std::unexpected(text.error());
  auto value = read_json(*text);
  if (!value) return std::unexpected(server::malformed_json(value.error()));
  return value;
}

/// 200 with a value as application/json. What write_json() refuses is logged and becomes a 500.
inline Response json_response(const Json& value) {
  auto text = write_json(value);
  return text ? server::json_text_response(std::move(*text))
              : server::json_text_response(text.error());
}

}  // namespace pronghorn

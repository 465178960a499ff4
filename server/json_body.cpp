// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/base/log.h>
#include <pronghorn/server/body_error.h>
#include <pronghorn/server/json_body.h>

#include "server/parameters.h"
#include "server/syntax.h"

namespace pronghorn::server {
namespace {

bool is_json(std::string_view content_type) {
  auto type = parse_parameters(content_type);
  if (!type) return false;
  // RFC 8259 §11 knows no charset; what is not UTF-8 is no JSON.
  const std::string* charset = type->find("charset");
  if (charset != nullptr && !iequals(*charset, "utf-8")) return false;
  return type->value == "application/json" ||
         (type->value.starts_with("application/") && type->value.ends_with("+json"));
}

}  // namespace

Result<std::string_view> json_text_of(const Request& request) {
  if (is_json(request.header("content-type"))) return request.body();
  return std::unexpected(
      body_error(BodyErrc::unsupported_type, "the body must be application/json"));
}

Response json_text_response(std::string text) {
  return Response().type("application/json").body(std::move(text));
}

Response json_text_response(const Error& error) {
  log::error("answer is not JSON", {{"error", error.message()}});
  return Response::error(500);
}

Error malformed_json(const Error& error) {
  return body_error(BodyErrc::malformed, "not JSON: " + error.message());
}

}  // namespace pronghorn::server

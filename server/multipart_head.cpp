// SPDX-License-Identifier: Apache-2.0
#include "server/multipart_head.h"

#include "server/parameters.h"
#include "server/syntax.h"

namespace pronghorn::server {
namespace {

std::unexpected<Error> malformed(std::string text) {
  return std::unexpected(body_error(BodyErrc::malformed, std::move(text)));
}

Result<void> read_disposition(std::string_view value, MultipartHead& head, bool& is_named) {
  auto parsed = parse_parameters(value, Backslash::escapes_quote);
  if (!parsed || parsed->value != "form-data") {
    return malformed("a part's Content-Disposition is not form-data");
  }
  const std::string* name = parsed->find("name");
  if (name == nullptr || is_named) return malformed("a part has no name, or more than one");
  is_named = true;
  head.name = *name;
  if (const std::string* file = parsed->find("filename")) head.file_name = *file;
  // RFC 7578 §4.2 forbids it in forms; some clients send it, and then it is the better name.
  if (const std::string* extended = parsed->find("filename*")) {
    if (auto decoded = decode_extended(*extended)) head.file_name = std::move(decoded);
  }
  return {};
}

Result<void> read_field(std::string_view line, MultipartHead& head, bool& is_named) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
      !all_class(line.substr(colon + 1), kValue)) {
    return malformed("a line in the head of a part is no header field");
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_ows(line.substr(colon + 1));
  if (is_field(name, "content-disposition")) return read_disposition(value, head, is_named);
  if (is_field(name, "content-type")) head.type = value;
  if (is_field(name, "content-transfer-encoding") && !iequals(value, "binary") &&
      !iequals(value, "8bit") && !iequals(value, "7bit")) {
    return malformed("a part has a Content-Transfer-Encoding");
  }
  return {};
}

}  // namespace

Result<MultipartHead> parse_multipart_head(std::string_view text) {
  MultipartHead head;
  bool is_named = false;
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    if (end == std::string_view::npos) return malformed("a part's head does not end its last line");
    if (auto read = read_field(text.substr(0, end), head, is_named); !read) {
      return std::unexpected(read.error());
    }
    text.remove_prefix(end + 2);
  }
  if (!is_named) return malformed("a part has no Content-Disposition");
  return head;
}

}  // namespace pronghorn::server

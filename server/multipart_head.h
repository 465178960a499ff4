// SPDX-License-Identifier: Apache-2.0
// The header fields of one part of multipart/form-data. Pure; for MultipartParser.
#pragma once

#include <pronghorn/server/multipart.h>

#include <string_view>

namespace pronghorn::server {

/// `text` is the part's field lines, each with its CRLF. @errors malformed: a line that is no
/// field, no `Content-Disposition: form-data` with a name, or a Content-Transfer-Encoding that
/// would need decoding (RFC 7578 §4.7 forbids it)
Result<MultipartHead> parse_multipart_head(std::string_view text);

}  // namespace pronghorn::server

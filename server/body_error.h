// SPDX-License-Identifier: Apache-2.0
// Why the body of a request (a form, an upload, JSON) could not be used, and the status that says
// so.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/server/response.h>

#include <cstdint>
#include <string>
#include <system_error>

namespace pronghorn {

enum class BodyErrc : std::uint8_t {
  malformed = 1,     ///< 400: breaks the format's grammar
  unsupported_type,  ///< 415: the Content-Type is another one, or has none
  too_large,         ///< 413: a limit of the reader
  storage_full,      ///< 507: no space, or no quota, left for an uploaded file
  storage,           ///< 500: an uploaded file could not be written for another reason
};

const std::error_category& body_error_category() noexcept;
std::error_code make_error_code(BodyErrc code) noexcept;
Error body_error(BodyErrc code, std::string text);

/// The status of an error of form.h, multipart_form.h or <pronghorn/json.h>; 500 for any other.
int status_of(const Error& error) noexcept;
/// That status with the error's text, for programs: the fault is the client's own, and nothing of
/// the server's is told (a 5xx has the usual page only).
Response error_response(const Error& error);

}  // namespace pronghorn

template <>
struct std::is_error_code_enum<pronghorn::BodyErrc> : std::true_type {};

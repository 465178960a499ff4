// SPDX-License-Identifier: Apache-2.0
// Which form of a text the client would rather read (RFC 9110 §12.5.1). Pure; for error pages and
// directory listings.
#pragma once

#include <pronghorn/server/request.h>

#include <cstdint>
#include <span>

namespace pronghorn::server {

enum class TextForm : std::uint8_t {
  html,
  json,   ///< asked for by name, or html is not taken
  plain,  ///< neither is
};

/// By the Accept lines among `headers`; without any it is html. Of two of the same weight the one
/// that is named wins over one that "*/*" stands for, as scripts mean it that send
/// "application/json, */*".
TextForm choose_text_form(std::span<const Field> headers) noexcept;

}  // namespace pronghorn::server

// SPDX-License-Identifier: Apache-2.0
// The page of a status: made once for each, so that answering an error costs little more than
// answering. What differs from answer to answer stands in its middle.
#pragma once

#include "server/accept.h"

#include <string_view>

namespace pronghorn::server {

struct StatusText {
  std::string_view before;
  std::string_view middle;  ///< what was given
  std::string_view after;
  std::string_view type;  ///< Content-Type

  std::size_t size() const noexcept { return before.size() + middle.size() + after.size(); }
};
/// The status and a sentence, in the form that the client asked for: HTML, with a way home;
/// application/problem+json (RFC 9457); or one line of text. No product, no version, no script,
/// nothing of the request but what it is called: `request_id` needs no escape in any of them.
/// @param status  400 to 599
StatusText error_text(int status, TextForm form, std::string_view request_id);

/// The same of any other status from 200 on. Where `location` is given, it is a redirect's, and a
/// link to it in HTML (RFC 9110 §15.4); `escaped` keeps it then. JSON is a line of text.
StatusText status_text(int status, TextForm form, std::string_view location, std::string& escaped);
/// Its Content-Security-Policy: nothing but the page's own style.
std::string_view status_page_policy() noexcept;

}  // namespace pronghorn::server

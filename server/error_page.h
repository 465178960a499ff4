// SPDX-License-Identifier: Apache-2.0
// The page of a status: made once for each, so that answering an error costs no more than
// answering.
#pragma once

#include "server/accept.h"

#include <string_view>

namespace pronghorn::server {

/// HTML: the status, a sentence, a way home. No product, no version, nothing of the request, no
/// script.
std::string_view status_page(int status);

struct StatusText {
  std::string_view bytes;
  std::string_view type;  ///< Content-Type
};
/// The same in the form that the client asked for: HTML, application/problem+json (RFC 9457; of an
/// error only), or one line of text.
StatusText status_text(int status, TextForm form);
/// Its Content-Security-Policy: nothing but the page's own style.
std::string_view status_page_policy() noexcept;

}  // namespace pronghorn::server

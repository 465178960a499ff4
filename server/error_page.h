// SPDX-License-Identifier: Apache-2.0
// The page of a status: made once for each, so that answering an error costs no more than
// answering.
#pragma once

#include <string_view>

namespace pronghorn::server {

/// HTML: the status, a sentence, a way home. No product, no version, nothing of the request, no
/// script.
std::string_view status_page(int status);
/// Its Content-Security-Policy: nothing but the page's own style.
std::string_view status_page_policy() noexcept;

}  // namespace pronghorn::server

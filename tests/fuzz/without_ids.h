// SPDX-License-Identifier: Apache-2.0
// Answers without what their requests are called, which differs from run to run.
#pragma once

#include "server/request_id.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace pronghorn::test {

/// Of the same length: it is counted by the Content-Length of an error's page.
inline std::string without_ids(std::string text) {
  for (std::string_view mark : {"<p>Request ", " (request ", "\"request_id\":\""}) {
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
      const auto begin = at + mark.size();
      const auto end = std::min(text.size(), begin + server::RequestId::kSize);
      for (auto i = begin; i < end; ++i) text[i] = '-';
    }
  }
  return text;
}

}  // namespace pronghorn::test

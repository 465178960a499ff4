// SPDX-License-Identifier: Apache-2.0
// One event of a stream of server-sent events.
#pragma once

#include <pronghorn/base/clock.h>

#include <optional>
#include <string_view>

namespace pronghorn {

struct ServerEvent {
  std::string_view data;                    ///< any number of lines
  std::string_view event = {};              ///< its type; empty: "message"
  std::optional<std::string_view> id = {};  ///< what a client that comes back names
  std::optional<Millis> retry = {};         ///< how long clients wait before they come back
};

}  // namespace pronghorn

// SPDX-License-Identifier: Apache-2.0
// Listen addresses as people write them, right and wrong.
#pragma once

#include <pronghorn/config/config.h>

#include "config/complaint.h"

#include <string_view>

namespace pronghorn::config {

Checked<ListenAddress> parse_address(std::string_view text);

}  // namespace pronghorn::config

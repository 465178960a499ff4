// SPDX-License-Identifier: Apache-2.0
// JSON values, by nlohmann-json. The one public header that includes it.
#pragma once

#include <nlohmann/json.hpp>

namespace pronghorn {
using Json = nlohmann::json;
}

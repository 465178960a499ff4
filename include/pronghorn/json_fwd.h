// SPDX-License-Identifier: Apache-2.0
// The name of JSON values, for headers that only pass them on; <pronghorn/json.h> has the values.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace pronghorn {
/// A JSON value (nlohmann-json). Messages of a channel are such values.
using Json = nlohmann::json;
}  // namespace pronghorn

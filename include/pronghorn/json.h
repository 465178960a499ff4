// SPDX-License-Identifier: Apache-2.0
// JSON values, by nlohmann-json. The one public header that includes it whole.
#pragma once

#include <pronghorn/json_fwd.h>

#include <nlohmann/json.hpp>

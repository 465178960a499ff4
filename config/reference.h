// SPDX-License-Identifier: Apache-2.0
// docs/reference/configuration.md from the schema (`pronghorn config --reference`).
#pragma once

#include <string>

namespace pronghorn::config {

std::string reference();

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
// What can be wrong with values that are each well formed. Touches nothing; asks
// stat(2) and the databases of users and groups.
#pragma once

#include "config/load.h"

namespace pronghorn::config {

void check_values(Outcome& outcome, const Inputs& inputs);

}  // namespace pronghorn::config

// SPDX-License-Identifier: Apache-2.0
// Keys of [limits] and [timeouts] that stand in a table of an array ([[listeners]], [[routes]]) and
// hold there alone.
#pragma once

#include "config/table_reader.h"

#include <span>
#include <string_view>
#include <vector>

namespace pronghorn::config {

/// Reads `section`, which is "limits" or "timeouts" of a table of [[array]].
/// @param allowed  names of the keys that may stand there; empty: all that may differ from place to
/// place
void read_local_values(TableReader& reader, std::string_view array, const Member& section,
                       std::span<const std::string_view> allowed, std::vector<LocalValue>& into);

void apply_local_values(const std::vector<LocalValue>& values, Limits& limits, Timeouts& timeouts);

}  // namespace pronghorn::config

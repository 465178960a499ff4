// SPDX-License-Identifier: Apache-2.0
// Configurations as TOML: for people, with each value's origin, and for workers, without.
#pragma once

#include <pronghorn/base/result.h>

#include "config/load.h"

#include <string>
#include <string_view>

namespace pronghorn::config {

/// Every key with its value. What workers get at exec; from_toml is its exact inverse.
std::string to_toml(const Config& config);
/// Neither the environment nor the file system is asked.
Result<Config> from_toml(std::string_view text);

/// to_toml with `# origin` behind each value. A valid file: reading it gives the same values.
/// @param only_changed  leaves out what equals its default
std::string print(const Outcome& outcome, bool only_changed);

/// A file to begin with: every key with its meaning and its default, commented out.
std::string starter();

}  // namespace pronghorn::config

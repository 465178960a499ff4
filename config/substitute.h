// SPDX-License-Identifier: Apache-2.0
// ${VAR}, ${VAR:-default} and ${VAR:?message} in a file's strings, as a shell reads them: empty
// counts as unset for the two forms with a colon. "$${" is a literal "${".
#pragma once

#include "config/complaint.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pronghorn::config {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// Null: not set.
const std::string* find_variable(const Environment& environment, std::string_view name);

struct Substituted {
  std::string text;
  bool changed = false;  ///< a variable took part
};
Checked<Substituted> substitute(std::string_view text, const Environment& environment);

}  // namespace pronghorn::config

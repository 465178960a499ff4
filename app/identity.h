// SPDX-License-Identifier: Apache-2.0
// `user` and `group` of the configuration, as the master takes them.
#pragma once

#include <pronghorn/config/config.h>

#include "master/identity.h"

#include <expected>
#include <optional>
#include <string>

namespace pronghorn::app {

struct IdentityFailure {
  int exit_code = 0;
  std::string text;
};

/// Whom the workers shall run as; empty: as this process does.
/// @errors only root can make somebody else of them; an account that is gone since the check
std::expected<std::optional<master::Identity>, IdentityFailure> worker_identity(
    const config::Config& config);

}  // namespace pronghorn::app

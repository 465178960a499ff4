// SPDX-License-Identifier: Apache-2.0
// The access log's descriptor: opened once by the master, inherited by the workers.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>
#include <pronghorn/config/config.h>

namespace pronghorn::app {

/// Makes `config.access_log` what it is ("auto" becomes "-" at a terminal and "off" elsewhere) and
/// opens it: a file is appended to, and created with mode 0640. Empty when it is off. @errors of
/// open(2)
Result<UniqueFd> open_access_log(config::Config& config);

}  // namespace pronghorn::app

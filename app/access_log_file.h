// SPDX-License-Identifier: Apache-2.0
// The access log's file: opened by the master, at the start and again when it was moved; inherited
// by the workers.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>

#include "master/access_log_keeper.h"

namespace pronghorn::app {

/// Makes `config.access_log` what it is ("auto" becomes "-" at a terminal and "off" elsewhere) and
/// opens it: a file is appended to, and created with mode 0640; a FIFO needs no reader. Without
/// descriptor when it is off. @errors of open(2)
Result<master::AccessLogFile> open_access_log(config::Config& config);

}  // namespace pronghorn::app

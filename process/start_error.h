// SPDX-License-Identifier: Apache-2.0
// Why a program could not be started, in Node's terms. Called by spawn and the synchronous forms.
#pragma once

#include <pronghorn/base/result.h>

#include "process/launch.h"
#include "process/validate.h"

#include <string>
#include <string_view>

namespace pronghorn::process {

/// "cannot start 'ls': no such file or directory", with the directory where that is what is
/// missing. `function` is what Node calls the system call: "spawn", "spawnSync".
Error start_error(const LaunchFailure& failure, const Command& command, const std::string& cwd,
                  std::string_view function);

/// Whether Node tells it by an error event and not at once: what may be otherwise another time.
bool is_told_later(int error) noexcept;

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// What a child of exec_sync and exec_file_sync wrote to its stderr goes to ours as well.
#pragma once

#include <string_view>

namespace pronghorn::process {

/// Waits for a slow reader; gives up when there is none, without SIGPIPE.
void copy_to_stderr(std::string_view bytes) noexcept;

}  // namespace pronghorn::process

// SPDX-License-Identifier: Apache-2.0
// A file in memory that nobody can change any more: how the configuration reaches the workers.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

#include <string_view>

namespace pronghorn::master {

/// A memfd with `content`, sealed against every change (memfd_create(2)), its offset at 0.
Result<UniqueFd> make_sealed_file(const char* name, std::string_view content);

}  // namespace pronghorn::master

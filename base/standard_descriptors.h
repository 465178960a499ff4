// SPDX-License-Identifier: Apache-2.0
// Descriptors 0, 1 and 2 of a process that was started without them.
#pragma once

namespace pronghorn {

/// Opens /dev/null for those of 0, 1 and 2 that are closed: what is opened next would take their
/// numbers, be written to by mistake, and be handed to children. First thing in main().
void ensure_standard_descriptors() noexcept;

}  // namespace pronghorn

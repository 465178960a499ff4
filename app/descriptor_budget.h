// SPDX-License-Identifier: Apache-2.0
// How many connections a worker may hold, given how many descriptors it may open (RLIMIT_NOFILE).
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/config/config.h>

#include <cstdint>

namespace pronghorn::app {

/// Raises the soft limit to the hard one; returns the limit in force (getrlimit(2)).
std::uint64_t raise_descriptor_limit() noexcept;

/// `wanted` 0 (auto): what fits. A connection may need two descriptors (itself and a file); the
/// channel, logs, listeners, doorbells and the roots of sites need a few. @errors `wanted` does not
/// fit
Result<std::uint64_t> connection_limit(std::uint64_t wanted, std::uint64_t descriptors,
                                       std::uint64_t workers, std::uint64_t sites = 1);
/// How many sites have files.
std::uint64_t sites_with_root(const config::Config& config) noexcept;

/// Of `wanted` files that a worker is to keep open, as many as leave room: beside `connections`,
/// or, where that is 0 (auto), a sixteenth of all; the connections then get the rest.
std::uint64_t kept_files_limit(std::uint64_t wanted, std::uint64_t descriptors,
                               std::uint64_t workers, std::uint64_t connections,
                               std::uint64_t sites = 1) noexcept;

}  // namespace pronghorn::app

// SPDX-License-Identifier: Apache-2.0
// What became of `pronghorn reopen`, as a value and as the control socket's JSON.
#pragma once

#include <pronghorn/base/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pronghorn::master {

struct ReopenOutcome {
  struct Worker {
    std::uint32_t slot = 0;  ///< from 1
    int pid = 0;
    std::int64_t ms = -1;  ///< until it confirmed; -1: it has not
    std::string error;     ///< why it has not; empty: it did not answer in time
    bool operator==(const Worker&) const = default;
  };
  std::string path;   ///< empty: there is nothing to reopen
  std::string error;  ///< why the old file is still written to; empty: the new one is open
  std::vector<Worker> workers;

  std::size_t confirmed() const noexcept;
  bool is_complete() const noexcept { return error.empty() && confirmed() == workers.size(); }
  bool operator==(const ReopenOutcome&) const = default;
};

/// One line of JSON without its line feed.
std::string to_json(const ReopenOutcome& outcome);
/// @errors an error answer, or none that can be read
Result<ReopenOutcome> parse_reopen_outcome(std::string_view json);

}  // namespace pronghorn::master

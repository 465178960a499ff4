// SPDX-License-Identifier: Apache-2.0
// The output of a child while it is collected, bounded by max_buffer. Used by exec and by the
// synchronous forms.
#pragma once

#include <pronghorn/process/options.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace pronghorn::process {

class Collector {
 public:
  explicit Collector(std::size_t limit) : limit_(limit) {}

  /// Keeps of `bytes` what fits.
  /// @returns false when something did not, now or before
  bool add(std::string_view bytes);
  bool is_cut() const noexcept { return is_cut_; }
  /// What was kept; this is empty then. A character that the limit cut is left out of utf8.
  std::string take(Encoding encoding);

 private:
  std::string kept_;
  std::size_t limit_;
  bool is_cut_ = false;
};

/// `bytes` with U+FFFD for what is no UTF-8: one for each longest beginning of a character, as Node
/// and browsers do. @param cut  a character that is incomplete at the end is left out
std::string replace_invalid_utf8(std::string_view bytes, bool cut = false);

}  // namespace pronghorn::process

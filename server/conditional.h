// SPDX-License-Identifier: Apache-2.0
// Validators of a file and conditional requests (RFC 9110 §8.8, §13). Pure; used by Files.
#pragma once

#include <pronghorn/server/request.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

namespace pronghorn::server {

/// What a file's answer is compared by. Made of size and modification time, not of the inode: the
/// same tree on two machines gives the same tags.
class Validators {
 public:
  /// `now` decides strength: a file changed less than a second ago may change again without its
  /// time changing (RFC 9110 §8.8.1), so its tag is weak. A time that lies in the future is weak as
  /// well, and is not shown (§8.8.2.1): `modified` is `now` then.
  /// `variant` stands in the tag: the codings of one file must not have one tag (§8.8.3.3), and may
  /// well have one size and time. At most 8 bytes.
  Validators(std::uint64_t size, const timespec& modified, const timespec& now,
             std::string_view variant = {}) noexcept;

  /// With quotes, and W/ when weak.
  std::string_view etag() const noexcept { return {text_, length_}; }
  bool is_weak() const noexcept { return text_[0] == 'W'; }
  std::time_t modified() const noexcept { return modified_; }

 private:
  std::time_t modified_;
  std::size_t length_ = 0;
  char text_[56];
};

enum class Condition : std::uint8_t {
  proceed,
  not_modified,         ///< 304
  precondition_failed,  ///< 412
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC
/// 9110 §13.2.2 for a GET or HEAD that would be answered by 200. Several lines of a field are one
/// list; dates that cannot be read are ignored; of a malformed list counts what stands before the
/// fault.
Condition evaluate_conditions(std::span<const Field> headers, const Validators& validators);

/// If-Range (§13.1.5): whether a Range of the same request counts. True without the field; a tag
/// must be strong and equal, a date equal to the second. Anything else, and the field in two lines,
/// is no match.
bool if_range_holds(std::span<const Field> headers, const Validators& validators);

}  // namespace pronghorn::server

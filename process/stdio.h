// SPDX-License-Identifier: Apache-2.0
// What the descriptors of a child are: spawn's `stdio`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace pronghorn::process {

class Stream;

/// One descriptor of the child (Node: options.stdio[n]).
class Stdio {
 public:
  enum Kind : std::uint8_t {
    pipe,        ///< a Stream of the parent's; above 2 it works both ways
    overlapped,  ///< as pipe, which it is on Unix
    ignore,      ///< /dev/null
    inherit,     ///< the parent's descriptor of the same number
    ipc,         ///< the channel; at most one
    descriptor,  ///< a descriptor of the parent's
    input,       ///< a pipe with bytes to read; synchronous forms only
  };
  Stdio(Kind kind) : kind_(kind) {}  // NOLINT(google-explicit-constructor): reads as Node's strings
  /// A descriptor of the parent's, which stays open there. A negative number is a pipe, as in Node.
  Stdio(int fd)  // NOLINT(google-explicit-constructor)
      : kind_(fd < 0 ? pipe : descriptor), fd_(fd) {}
  /// The descriptor behind a Stream of another child's, say, which must be open.
  Stdio(const Stream& stream);  // NOLINT(google-explicit-constructor)
  static Stdio with_input(std::string bytes);

  Kind kind() const noexcept { return kind_; }
  int fd() const noexcept { return fd_; }
  const std::string& bytes() const noexcept { return bytes_; }

 private:
  Kind kind_;
  int fd_ = -1;
  std::string bytes_;
};

/// The whole of `stdio`: one kind for 0, 1 and 2, or one for each. Missing ones of 0-2 are pipes;
/// default-constructed, it is the function's default.
class StdioList {
 public:
  StdioList() = default;
  StdioList(Stdio::Kind all) : entries_{all, all, all} {}  // NOLINT(google-explicit-constructor)
  StdioList(std::initializer_list<Stdio> entries) : entries_(entries), given_(true) {}
  StdioList(std::vector<Stdio> entries)  // NOLINT(google-explicit-constructor)
      : entries_(std::move(entries)), given_(true) {}

  bool is_given() const noexcept { return given_ || !entries_.empty(); }
  /// One kind for 0, 1 and 2, to which fork adds the channel.
  bool is_one_for_all() const noexcept { return !given_ && !entries_.empty(); }
  const std::vector<Stdio>& entries() const noexcept { return entries_; }

 private:
  std::vector<Stdio> entries_;
  bool given_ = false;
};

}  // namespace pronghorn::process

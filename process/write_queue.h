// SPDX-License-Identifier: Apache-2.0
// Bytes that wait for the kernel, in blocks that never move while they are written. Used by Stream.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

namespace pronghorn::process {

/// Costs about what waits, however small or large the pieces: small ones share a block, large ones
/// have one each. Appending and consuming take time by what is appended and consumed alone.
class WriteQueue {
 public:
  void append(std::string_view bytes);
  /// The bytes to write next, as many blocks as `vectors` has room for.
  std::span<iovec> front(std::span<iovec> vectors) noexcept;
  /// The first `count` bytes are gone; their blocks are freed.
  void consume(std::size_t count) noexcept;
  void clear() noexcept;
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  std::deque<std::string> blocks_;
  std::size_t offset_ = 0;  // of the first block, what is gone
  std::size_t size_ = 0;
};

}  // namespace pronghorn::process

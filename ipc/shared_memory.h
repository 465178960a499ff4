// SPDX-License-Identifier: Apache-2.0
// A sealed memfd that the master makes and its workers map: it survives each of them.
#pragma once

#include <pronghorn/base/result.h>
#include <pronghorn/base/unique_fd.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace pronghorn::ipc {

class SharedMemory {
 public:
  /// `size` zeros. Of a fixed size, because a process that shrank it would kill all the others with
  /// SIGBUS.  @param what  for messages: "the scoreboard"
  static Result<SharedMemory> create(const char* name, std::size_t size, std::string_view what);
  /// Maps an inherited one; the descriptor may be closed afterwards. @errors one that is not sealed
  static Result<SharedMemory> attach(int fd, std::string_view what);
  SharedMemory() = default;
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept
      : fd_(std::move(other.fd_)),
        memory_(std::exchange(other.memory_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    return *this;
  }

  void* get() const noexcept { return memory_; }
  std::size_t size() const noexcept { return size_; }
  /// To be inherited; -1 after attach().
  int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace pronghorn::ipc

// SPDX-License-Identifier: Apache-2.0
// Sees from the workers' counters when access log lines begin to be lost, and when that has ended,
// so that the log says each once. Pure.
#pragma once

#include <cstdint>
#include <utility>

namespace pronghorn::master {

class LogDrops {
 public:
  enum class Change : std::uint8_t { none, begun, ended };
  /// So many looks without a loss, and lines written meanwhile, are the end.
  static constexpr unsigned kQuietLooks = 5;

  /// To be called once a second with the sums of all workers, which never go back.
  Change look(std::uint64_t written, std::uint64_t dropped) noexcept {
    const bool grew = dropped > dropped_;
    if (grew) {
      quiet_ = 0;
      written_then_ = written;
      if (!losing_) before_ = dropped_;
      dropped_ = dropped;
      return std::exchange(losing_, true) ? Change::none : Change::begun;
    }
    if (!losing_ || ++quiet_ < kQuietLooks || written == written_then_) return Change::none;
    losing_ = false;
    return Change::ended;
  }
  bool is_losing() const noexcept { return losing_; }
  /// In the loss that goes on or was the last.
  std::uint64_t lost() const noexcept { return dropped_ - before_; }

 private:
  std::uint64_t dropped_ = 0;
  std::uint64_t before_ = 0;
  std::uint64_t written_then_ = 0;
  unsigned quiet_ = 0;
  bool losing_ = false;
};

}  // namespace pronghorn::master

// SPDX-License-Identifier: Apache-2.0
#include "server/access_log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <time.h>
#include <utility>

namespace pronghorn::server {
namespace {

constexpr std::size_t kLongest = std::max(AccessLine::kMax, TerminalLines::kMax);
// A full pipe's reader is only slow; a disk has to be made free by somebody.
constexpr std::chrono::milliseconds kSlowReader{5};
constexpr std::chrono::milliseconds kFault{100};
constexpr std::chrono::milliseconds kSecond{1000};

bool is_same_file(int a, int b) noexcept {
  struct stat first{}, second{};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace

AccessLog::AccessLog(int fd, Options options, WorkerCounters& counters)
    : writer_(fd),
      fd_(fd),
      counters_(counters),
      on_cut_(std::move(options.on_cut)),
      now_(options.now),
      capacity_(std::max(options.buffer, 2 * kLongest)),
      memory_(std::make_unique_for_overwrite<char[]>(capacity_)),
      flush_(options.flush) {
  if (options.format) {
    line_.emplace(*options.format, options.worker);
  } else {
    terminal_.emplace(options.colour);
  }
}

AccessLog::~AccessLog() {
  if (size_ > 0) write_waiting();
  counters_.log_dropped.add(lines_);
}

std::int64_t AccessLog::system_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

void AccessLog::record(const AccessEntry& entry) noexcept {
  const std::int64_t now_us = now_();
  if (room() < kLongest) {
    // While it is blocked every request would pay for a try; a clock that was set back ends that.
    const auto since = now_us - blocked_us_;
    if (since < 0 || since >= std::chrono::microseconds(retry_).count()) write_waiting();
    if (room() < kLongest) return counters_.log_dropped.add(1);
  }
  char* at = memory_.get() + size_;
  char* end = line_ ? line_->write(at, entry, now_us) : terminal_->write(at, entry, now_us);
  if (end != at) ++lines_;
  size_ += static_cast<std::size_t>(end - at);
}

void AccessLog::flush() noexcept {
  if (terminal_ && terminal_->has_hidden() && room() >= kLongest) {
    char* at = memory_.get() + size_;
    const char* end = terminal_->write_hidden(at, now_());
    size_ += static_cast<std::size_t>(end - at);
  }
  if (size_ > 0) write_waiting();
}

std::optional<AccessLog::Milliseconds> AccessLog::wait() const noexcept {
  if (size_ > 0) return std::max(flush_, retry_);
  if (terminal_ && terminal_->has_hidden()) return kSecond;
  return std::nullopt;
}

void AccessLog::reopen(int fd) noexcept {
  if (size_ > 0) write_waiting();
  NonblockingWriter other(fd);
  if (writer_.is_torn() && is_same_file(fd_, fd)) other.begin_line();
  writer_ = std::move(other);
  fd_ = fd;
  retry_ = Milliseconds(0);
  if (size_ > 0) write_waiting();
}

void AccessLog::write_waiting() noexcept {
  if (counters_.log_torn.load(std::memory_order_relaxed) != 0) {
    counters_.log_torn.store(0, std::memory_order_relaxed);
    writer_.begin_line();
  }
  const auto taken = writer_.write_some({memory_.get(), size_});
  if (taken.bytes == size_) {
    counters_.log_lines.add(lines_ - std::min<std::uint64_t>(lines_, taken.cut ? 1 : 0));
    size_ = 0;
    lines_ = 0;
  } else {
    const auto gone =
        static_cast<std::uint64_t>(std::count(memory_.get(), memory_.get() + taken.bytes, '\n'));
    counters_.log_lines.add(gone - (taken.cut ? 1 : 0));
    lines_ -= std::min(lines_, gone);
    size_ -= taken.bytes;
    std::memmove(memory_.get(), memory_.get() + taken.bytes, size_);
  }
  if (size_ == 0 && !taken.cut) {
    retry_ = Milliseconds(0);
    if (counters_.log_error.get() != 0) counters_.log_error.set(0);
  } else {
    note_failure(taken);
  }
}

void AccessLog::note_failure(const NonblockingWriter::Taken& taken) noexcept {
  blocked_us_ = now_();
  retry_ = taken.error == EAGAIN ? kSlowReader : kFault;
  if (taken.error != 0) counters_.log_error.set(static_cast<std::uint64_t>(taken.error));
  if (!taken.cut) return;
  counters_.log_dropped.add(1);
  if (on_cut_) on_cut_();
}

}  // namespace pronghorn::server

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
// Waking the thread and writing cost as much as some hundred lines, however few they are: that is
// done a hundred times a second at most. The first line after as long goes out in its turn.
constexpr std::chrono::milliseconds kGather{10};
constexpr std::chrono::milliseconds kSecond{1000};

std::int64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
}

bool is_same_file(int a, int b) noexcept {
  struct stat first{}, second{};
  return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace

AccessLog::AccessLog(int fd, Options options, WorkerCounters& counters)
    : writer_(fd),
      counters_(counters),
      on_cut_(std::move(options.on_cut)),
      now_(options.now != nullptr ? options.now : system_now),
      // A half must hold more than the line that fills it.
      capacity_(std::max(options.buffer, (options.in_thread ? 4 : 2) * kLongest)),
      limit_(capacity_),
      memory_(std::make_unique_for_overwrite<char[]>(capacity_)),
      flush_(options.flush),
      last_wait_(options.last_wait),
      in_thread_(options.in_thread),
      write_(std::move(options.write)) {
  take(fd);
  if (options.format) {
    line_.emplace(*options.format, options.worker);
  } else {
    terminal_.emplace(options.colour);
  }
  if (options.now == nullptr && !(line_ && line_->wants_fraction())) now_ = system_second;
}

AccessLog::~AccessLog() {
  finish();
  counters_.log_dropped.add(lines_ + rest_lines_);
}

/// Writes to `fd` from now on; nothing is in flight.
void AccessLog::take(int fd) noexcept {
  fd_ = fd;
  writer_ = NonblockingWriter(fd);
  if (!thread_ && in_thread_ && writer_.may_wait()) {
    // Null: no more threads here, and a slow log is better than none.
    thread_ = LogThread::start(capacity_, write_);
    if (thread_) limit_ = capacity_ / 2;
  }
  if (thread_) thread_->open(fd);
}

void AccessLog::finish() noexcept {
  const auto end = std::chrono::steady_clock::now() + last_wait_;
  retry_ = Milliseconds(0);
  while (has_waiting()) {
    if (in_flight_ && !thread_->wait_until(end)) return;
    write_waiting();
    if (retry_.count() > 0) return;
  }
}

std::int64_t AccessLog::system_now() noexcept { return read_clock(CLOCK_REALTIME); }
// A tick old at most, as the Date of an answer, and a fifth of the price.
std::int64_t AccessLog::system_second() noexcept { return read_clock(CLOCK_REALTIME_COARSE); }

void AccessLog::record(const AccessEntry& entry) noexcept {
  const std::int64_t now_us = now_();
  if (room() < kLongest) {
    // While it is blocked every request would pay for a try; a clock that was set back ends that.
    const auto since = now_us - blocked_us_;
    if (in_flight_ || since < 0 || since >= std::chrono::microseconds(retry_).count()) {
      write_waiting();
    }
    if (room() < kLongest) {
      if (in_flight_ && counters_.log_error.get() == 0) counters_.log_error.set(EAGAIN);
      return counters_.log_dropped.add(1);
    }
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
  if (has_waiting()) write_waiting();
}

std::optional<AccessLog::Milliseconds> AccessLog::wait() const noexcept {
  if (in_flight_) return std::max({flush_, retry_, kGather});
  if (has_waiting()) return std::max(flush_, retry_);
  if (terminal_ && terminal_->has_hidden()) return kSecond;
  return std::nullopt;
}

void AccessLog::reopen(int fd) noexcept {
  if (has_waiting()) write_waiting();
  next_ = fd;
  if (!in_flight_) change_file();
}

void AccessLog::change_file() noexcept {
  const bool is_torn = writer().is_torn() && is_same_file(fd_, *next_);
  take(*next_);
  if (is_torn) writer().begin_line();
  next_.reset();
  retry_ = Milliseconds(0);
  if (has_waiting()) write_waiting();
}

void AccessLog::write_waiting() noexcept {
  if (!thread_) return write_now();
  const bool was_given = in_flight_;
  if (!collect()) return;
  if (next_) return change_file();
  if (was_given && retry_.count() > 0) return;  // it failed just now: wait() says when again
  give();
}

void AccessLog::write_now() noexcept {
  end_torn_line();
  const auto taken = writer_.write_some({memory_.get(), size_});
  account(taken, {memory_.get(), size_}, lines_);
  size_ -= taken.bytes;
  if (size_ > 0) std::memmove(memory_.get(), memory_.get() + taken.bytes, size_);
}

void AccessLog::give() noexcept {
  if (rest_.empty()) {
    if (size_ == 0) return;
    std::swap(memory_, thread_->memory());
    rest_ = {thread_->memory().get(), std::exchange(size_, 0)};
    rest_lines_ = std::exchange(lines_, 0);
  }
  end_torn_line();
  thread_->give(rest_);
  in_flight_ = true;
}

/// False: what was given is still being written.
bool AccessLog::collect() noexcept {
  if (!in_flight_) return true;
  const auto taken = thread_->result();
  if (!taken) {
    retry_ = kSlowReader;
    return false;
  }
  in_flight_ = false;
  account(*taken, rest_, rest_lines_);
  rest_.remove_prefix(taken->bytes);
  return true;
}

/// Ours, or one that another process has cut in the same file.
void AccessLog::end_torn_line() noexcept {
  if (counters_.log_torn.load(std::memory_order_relaxed) == 0) return;
  counters_.log_torn.store(0, std::memory_order_relaxed);
  writer().begin_line();
}

/// Of `lines`, which are `count`, some were taken.
void AccessLog::account(const NonblockingWriter::Taken& taken, std::string_view lines,
                        std::uint64_t& count) noexcept {
  const bool is_all = taken.bytes == lines.size();
  const auto gone =
      is_all ? count
             : static_cast<std::uint64_t>(std::ranges::count(lines.substr(0, taken.bytes), '\n'));
  counters_.log_lines.add(gone - std::min<std::uint64_t>(gone, taken.cut ? 1 : 0));
  count -= std::min(count, gone);
  if (is_all && !taken.cut) {
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
